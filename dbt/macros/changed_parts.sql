{# The parts of an incremental model that must be built again: those of `current` (columns: the part and its
   input_fingerprint) that the model does not hold with this fingerprint. Fingerprints are of content, not of time:
   whatever a killed run left behind is found. #}
{% macro changed_parts(current, part) -%}
    select
        current_parts.{{ part }},
        current_parts.input_fingerprint
    from {{ current }} as current_parts
    {% if is_incremental() %}
        left join (
            select distinct
                {{ part }},
                input_fingerprint
            from {{ this }}
        ) as kept
            on
                current_parts.{{ part }} = kept.{{ part }}
                and current_parts.input_fingerprint = kept.input_fingerprint
        where kept.{{ part }} is null
    {% endif %}
{%- endmacro %}
