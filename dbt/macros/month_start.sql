{# The first day of the month with this index (year * 12 + month), as a date. #}
{% macro month_start(month_index) -%}
    {{ return(adapter.dispatch('month_start')(month_index)) }}
{%- endmacro %}

{% macro duckdb__month_start(month_index) -%}
    make_date(cast(({{ month_index }} - 1) // 12 as bigint), cast(({{ month_index }} - 1) % 12 + 1 as bigint), 1)
{%- endmacro %}

{% macro spark__month_start(month_index) -%}
    make_date(cast(({{ month_index }} - 1) div 12 as int), cast(({{ month_index }} - 1) % 12 + 1 as int), 1)
{%- endmacro %}
