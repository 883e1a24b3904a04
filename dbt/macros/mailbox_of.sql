{# The mailbox of an address in Google's form, with its host in punycode: the same of all its spellings, and of both
   names of Google's mail. #}
{% macro mailbox_of(google_email, host) -%}
    case
        when {{ google_email }} is not null
            then concat(
                regexp_replace({{ google_email }}, '@.*$', '@'),
                case {{ host }} when 'googlemail.com' then 'gmail.com' else {{ host }} end
            )
    end
{%- endmacro %}
