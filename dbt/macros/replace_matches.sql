{# Every match of a regular expression replaced. Write classes that RE2 and Java share, such as \p{L}; their \s
   differ, and know the blanks of ASCII alone. #}
{% macro replace_matches(text, pattern, replacement='') -%}
    {{ return(adapter.dispatch('replace_matches')(text, pattern, replacement)) }}
{%- endmacro %}

{% macro duckdb__replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{# a backslash in a text of Spark's SQL is an escape #}
{% macro spark__replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern | replace("\\", "\\\\") }}', '{{ replacement }}')
{%- endmacro %}
