{# Whether two values are not the same; nulls are equal to each other. #}
{% macro differs(left_value, right_value) -%}
    coalesce({{ left_value }} <> {{ right_value }}, ({{ left_value }} is null) <> ({{ right_value }} is null))
{%- endmacro %}
