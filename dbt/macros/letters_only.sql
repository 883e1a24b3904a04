{# A text in lower case of letters, marks and digits alone, its accents composed: Meta's form of names, cities and
   postal codes. Null of nothing. #}
{% macro letters_only(text) -%}
    nullif({{ replace_matches(composed_text('lower(' ~ text ~ ')'), '[^\\p{L}\\p{M}\\p{N}]+') }}, '')
{%- endmacro %}
