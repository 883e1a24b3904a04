{# The parts that the model must build again (changed_parts), in their order and put together into spans: as many parts
   each as come to the rows that fit in memory, and one at least. Rows are `part_rows` of the relation `current`: lines of
   a month, accounts of an as_of (of which a model may have a row per scheme). [(first, last), ...] #}
{% macro parts_in_spans(current, part) -%}
    {%- set most_rows = env_var('KAM_SPAN_ROWS', '2000000') | int -%}
    {%- if most_rows < 1 -%}
        {{ exceptions.raise_compiler_error('KAM_SPAN_ROWS is no number of rows; leave it out, or write one like 2000000') }}
    {%- endif -%}
    {%- set query -%}
        select
            changed.{{ part }},
            sized.part_rows
        from ({{ changed_parts(current, part) }}) as changed
        inner join {{ current }} as sized on changed.{{ part }} = sized.{{ part }}
        order by changed.{{ part }}
    {%- endset -%}
    {%- set spans = [] -%}
    {%- set rows = namespace(count=0) -%}
    {%- for number, part_rows in run_query(query).rows -%}
        {%- if spans and rows.count + part_rows <= most_rows -%}
            {%- do spans.append((spans.pop()[0], number | int)) -%}
            {%- set rows.count = rows.count + part_rows -%}
        {%- else -%}
            {%- do spans.append((number | int, number | int)) -%}
            {%- set rows.count = part_rows -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{%- endmacro %}
