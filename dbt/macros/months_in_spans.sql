{# The months of `current` that the model must build again (changed_parts), put together into spans of as many as come
   to a few million lines; `current` has the columns month_index, line_count, input_fingerprint.
   [(first day, day after the last), ...] as texts. #}
{% macro months_in_spans(current) -%}
    {%- set most_lines = env_var('KAM_SPAN_LINES', '4000000') | int -%}
    {%- set query -%}
        select
            cast({{ month_start('changed.month_index') }} as string) as first_day,
            cast({{ month_start('changed.month_index + 1') }} as string) as next_month,
            months.line_count
        from ({{ changed_parts(current, 'month_index') }}) as changed
        inner join {{ current }} as months on changed.month_index = months.month_index
        order by changed.month_index
    {%- endset -%}
    {%- set spans = [] -%}
    {%- set lines = namespace(count=0) -%}
    {%- for first_day, next_month, line_count in run_query(query).rows -%}
        {%- if spans and lines.count + line_count <= most_lines -%}
            {%- do spans.append((spans.pop()[0], next_month)) -%}
            {%- set lines.count = lines.count + line_count -%}
        {%- else -%}
            {%- do spans.append((first_day, next_month)) -%}
            {%- set lines.count = line_count -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{%- endmacro %}
