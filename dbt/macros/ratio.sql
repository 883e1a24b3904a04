{# a / b as a double rounded to 12 places for publication; null where b is 0. Never compare with it: compare products. #}
{% macro ratio(dividend, divisor) -%}
    {{ return(adapter.dispatch('ratio')(dividend, divisor)) }}
{%- endmacro %}

{% macro duckdb__ratio(dividend, divisor) -%}
    round(cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0), 12)
{%- endmacro %}

{# As DuckDB rounds: Spark's own `round(x, 12)` goes through the decimal text of the double, and differs where
   that text is nearer to the middle of two results than the double is. #}
{% macro spark__ratio(dividend, divisor) -%}
    round(
        cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), cast(0 as double))
        * cast(1000000000000 as double)
    ) / cast(1000000000000 as double)
{%- endmacro %}
