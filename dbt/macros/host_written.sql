{# What stands behind the @ of an address as somebody typed it: the raw value of the host in stg_run__identifiers. #}
{% macro host_written(email) -%}
    regexp_replace({{ email }}, '^([^@]*@)+', '')
{%- endmacro %}
