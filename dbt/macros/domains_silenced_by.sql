{# The domains that suppressed hosts (a relation with `host`) silence, as `domain`: mail.shop.example.com also
   silences shop.example.com and example.com. #}
{% macro domains_silenced_by(hosts) -%}
    select host as domain from {{ hosts }}
    union
    select regexp_replace(host, '^[^.]*[.]', '') as domain from {{ hosts }}
    union
    select regexp_replace(host, '^[^.]*[.][^.]*[.]', '') as domain from {{ hosts }}
{%- endmacro %}
