{# The pattern of a run of blanks: spaces, no-break and zero-width ones, controls, soft hyphens. Not joiners, which spell
   words in some scripts. #}
{% macro blanks() -%}
    {{ return('[\\p{Z}\\p{Cc}\\x{00AD}\\x{200B}\\x{2060}\\x{FEFF}]+') }}
{%- endmacro %}
