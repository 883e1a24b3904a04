{# The whole part of a / b for non-negative whole numbers of one type (`bigint`, or `decimal(38, 0)` for what
   needs 128 bits), exact: `/` would go through a double on DuckDB. #}
{% macro integer_quotient(dividend, divisor, type) -%}
    {{ return(adapter.dispatch('integer_quotient')(dividend, divisor, type)) }}
{%- endmacro %}

{% macro duckdb__integer_quotient(dividend, divisor, type) -%}
    {%- set whole = 'bigint' if type == 'bigint' else 'hugeint' -%}
    (cast({{ dividend }} as {{ whole }}) // cast({{ divisor }} as {{ whole }}))
{%- endmacro %}

{% macro spark__integer_quotient(dividend, divisor, type) -%}
    (cast({{ dividend }} as {{ type }}) div cast({{ divisor }} as {{ type }}))
{%- endmacro %}
