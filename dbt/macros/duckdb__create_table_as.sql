{# dbt-duckdb's; the table of a model with `meta.spans` is filled by one statement after the other, each for the dates
   that in_span lets through. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- set spans = months_in_spans(ref(meta['parts'])) if meta.get('spans') else [] -%}
    {%- for first_day, next_day in spans %}
        set variable span_begins = date '{{ first_day }}';
        set variable span_ends = date '{{ next_day }}';
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
        reset variable span_begins;
        reset variable span_ends;
    {%- endif %}
{%- endmacro %}
