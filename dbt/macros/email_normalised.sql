{# An e-mail address in lower case without blanks in or around it, its accents composed: what suppressions are
   compared by, and what is hashed. Null of a text that is no address. #}
{% macro email_normalised(text) -%}
    {%- set bare -%}
        {{ replace_matches(composed_text('lower(' ~ text ~ ')'), blanks()) }}
    {%- endset -%}
    case
        when {{ bare }} like '%_@_%._%' and {{ bare }} not like '%@%@%'
            then {{ bare }}
    end
{%- endmacro %}
