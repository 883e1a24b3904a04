{# A normalised e-mail address as Google hashes it: in an address at gmail.com or googlemail.com no dots before the @
   (its formatting guidelines say so), and no tag behind a +, which is no part of an account's address. #}
{% macro email_of_google(email) -%}
    case
        when
            ({{ email }} like '%@gmail.com' or {{ email }} like '%@googlemail.com')
            and {{ email }} not like '+%'
            then concat(
                replace(regexp_replace({{ email }}, '[+@].*$', ''), '.', ''),
                regexp_replace({{ email }}, '^[^@]*', '')
            )
        else {{ email }}
    end
{%- endmacro %}
