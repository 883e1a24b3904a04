{# dbt-duckdb's; the table of a model with `meta.spans` is filled by one statement after the other, each for the parts
   that in_span lets through. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- set spans = parts_in_spans(ref(meta['parts']), config.require('unique_key')) if meta.get('spans') else [] -%}
    {%- for first, last in spans %}
        set variable span_first = {{ first }};
        set variable span_last = {{ last }};
        {% if loop.first %}
            {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code) }}
        {% else %}
            insert into {{ relation.include(database=(not temporary), schema=(not temporary)) }}
            {{ compiled_code }};
        {% endif %}
    {%- else %}
        {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) }}
    {%- endfor %}
    {%- if spans %}
        reset variable span_first;
        reset variable span_last;
    {%- endif %}
{%- endmacro %}
