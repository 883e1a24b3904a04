{# Whether a delivery_id is among the parts that changed_parts gives, as numbers written out: a delivery is a file, and
   only the files that hold one of them are read. #}
{% macro in_changed_deliveries(delivery_id, current) -%}
    {{ in_changed_numbers(delivery_id, 'delivery_id', current) }}
{%- endmacro %}
