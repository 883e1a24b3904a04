{# The one e-mail address of a text in lower case without blanks in or around it, its accents composed: what
   suppressions are compared by, and what is hashed. A name before <address>, mailto: and punctuation around it are
   left out. Null of a text that is no address, or several. #}
{% macro email_normalised(text) -%}
    {%- set bare = replace_matches(composed_text('lower(' ~ text ~ ')'), blanks()) -%}
    {%- set unnamed = replace_matches(bare, '^[^<]*<|>[^>]*$') -%}
    {%- set address = replace_matches(unnamed, '^(mailto:|[\\x22\\x27.,;])+|[\\x22\\x27.,;]+$') -%}
    {%- set local = '[^@<>(),;:\\x22\\x5B-\\x5D]+' -%}
    {%- set label = '[^@<>(),;:\\x22\\x5B-\\x5D.?&#/]+' -%}
    case
        when
            {{ address }} <> ''
            and {{ replace_matches(address, '^' ~ local ~ '@' ~ label ~ '([.]' ~ label ~ ')+$') }} = ''
            then {{ address }}
    end
{%- endmacro %}
