{# Every row of a raw relation with its version_rank, 1 = the latest version: greatest `version`, then the later
   delivery, then the later line. `key` names the columns that make a row one row (with its source system). A file
   delivered twice with the same bytes counts once, one that a full extract replaced not at all. #}
{% macro ranked_versions(relation, key, version=none) -%}
    select
        rows_in.*,
        row_number() over (
            partition by rows_in.source_system{% for column in key %}, rows_in.{{ column }}{% endfor %}
            order by
                {% if version %}rows_in.{{ version }} desc nulls last,
                {% endif %}deliveries.delivery_order desc,
                rows_in.line_number desc
        ) as version_rank
    from {{ relation }} as rows_in
    inner join {{ ref('stg_run__deliveries') }} as deliveries
        on rows_in.delivery_id = deliveries.delivery_id
    where not deliveries.is_repeated and not deliveries.is_replaced
{%- endmacro %}
