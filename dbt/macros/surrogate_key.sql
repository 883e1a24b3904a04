{# A whole number for a text, the same in every run: what is kept between runs joins on it. Two texts with one
   number are found by the uniqueness test of int_accounts. #}
{% macro surrogate_key(text) -%}
    {{ return(adapter.dispatch('surrogate_key')(text)) }}
{%- endmacro %}

{% macro duckdb__surrogate_key(text) -%}
    cast(md5_number_lower({{ text }}) // 2 as bigint)
{%- endmacro %}

{% macro spark__surrogate_key(text) -%}
    cast(conv(substring(md5({{ text }}), 1, 15), 16, 10) as bigint)
{%- endmacro %}
