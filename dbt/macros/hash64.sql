{# A 64-bit hash of the columns, for finding candidates only: whoever uses it compares the real key afterwards. #}
{% macro hash64(columns) -%}
    {{ return(adapter.dispatch('hash64')(columns)) }}
{%- endmacro %}

{% macro duckdb__hash64(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__hash64(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
