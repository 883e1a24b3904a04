{# The host of a domain, address or URL as somebody typed it: small letters, without scheme, user, www and path. #}
{% macro host_of(text) -%}
    lower(regexp_replace(
        regexp_replace(trim({{ text }}), '^([a-zA-Z]+://)?([^/@]*@)?(www[.])?', ''), '[/?#:].*$', ''
    ))
{%- endmacro %}
