{# The whole part of a / b for non-negative whole numbers, exact: `/` would go through a double on DuckDB. #}
{% macro integer_quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('integer_quotient')(dividend, divisor)) }}
{%- endmacro %}

{% macro duckdb__integer_quotient(dividend, divisor) -%}
    (cast({{ dividend }} as hugeint) // cast({{ divisor }} as hugeint))
{%- endmacro %}

{% macro spark__integer_quotient(dividend, divisor) -%}
    (({{ dividend }}) div ({{ divisor }}))
{%- endmacro %}
