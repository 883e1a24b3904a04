{# As many rows, in a list of columns of its own: the host and each domain above it, such as a.b.example.com,
   b.example.com, example.com and com. #}
{% macro host_and_parents(host) -%}
    {{ return(adapter.dispatch('host_and_parents')(host)) }}
{%- endmacro %}

{% macro duckdb__host_and_parents(host) -%}
    unnest([
        array_to_string(string_split({{ host }}, '.')[place:], '.')
        for place in range(1, 1 + len(string_split({{ host }}, '.')))
    ])
{%- endmacro %}

{% macro spark__host_and_parents(host) -%}
    explode(transform(
        sequence(1, size(split({{ host }}, '[.]'))), labels -> substring_index({{ host }}, '.', -labels)
    ))
{%- endmacro %}
