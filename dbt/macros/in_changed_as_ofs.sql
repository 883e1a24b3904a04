{# Whether an as_of_index is among the parts that changed_parts gives, so that only their rows are read. #}
{% macro in_changed_as_ofs(as_of_index, current) -%}
    {{ in_changed_numbers(as_of_index, 'as_of_index', current) }}
{%- endmacro %}
