{# a / b as a double rounded to 12 places for publication; null where b is 0. Never compare with it: compare products. #}
{% macro ratio(dividend, divisor) -%}
    round(cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0), 12)
{%- endmacro %}
