{# One row per whole number n from 0 to 999. #}
{% macro numbers() -%}
    {%- set digits -%}
        (select 0 as d{% for digit in range(1, 10) %} union all select {{ digit }}{% endfor %})
    {%- endset -%}
    select cast(ones.d + 10 * tens.d + 100 * hundreds.d as integer) as n
    from {{ digits }} as ones
    cross join {{ digits }} as tens
    cross join {{ digits }} as hundreds
{%- endmacro %}
