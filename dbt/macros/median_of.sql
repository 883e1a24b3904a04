{# The median of whole numbers as a double, the mean of the middle two where they are even in number: exact on both engines. #}
{% macro median_of(values) -%}
    {{ return(adapter.dispatch('median_of')(values)) }}
{%- endmacro %}

{% macro duckdb__median_of(values) -%}
    cast(median({{ values }}) as double)
{%- endmacro %}

{% macro spark__median_of(values) -%}
    cast(percentile({{ values }}, 0.5) as double)
{%- endmacro %}
