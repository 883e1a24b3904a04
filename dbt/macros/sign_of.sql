{# -1, 0 or 1, null for null: Spark's `sign` makes a double of a decimal. #}
{% macro sign_of(amount) -%}
    (case when {{ amount }} > 0 then 1 when {{ amount }} < 0 then -1 when {{ amount }} = 0 then 0 end)
{%- endmacro %}
