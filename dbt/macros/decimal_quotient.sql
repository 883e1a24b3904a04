{# a / b for non-negative whole numbers, b > 0, as decimal(18,4), rounded half up: `/` would go through a double. #}
{% macro decimal_quotient(dividend, divisor) -%}
    {%- set doubled = '20000 * cast(' ~ dividend ~ ' as bigint) + cast(' ~ divisor ~ ' as bigint)' -%}
    {%- set units = integer_quotient('(' ~ doubled ~ ')', '2 * cast(' ~ divisor ~ ' as bigint)', 'bigint') -%}
    cast(cast({{ units }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}
