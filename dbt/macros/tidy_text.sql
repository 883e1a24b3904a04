{# The text without blanks around it, with one space for any run of blanks within (no-break and zero-width ones too),
   its accents composed; null of nothing. #}
{% macro tidy_text(text) -%}
    nullif(trim({{ replace_matches(composed_text(text), blanks(), ' ') }}), '')
{%- endmacro %}
