{# Whether a number is among the parts that changed_parts gives, written out, so that an engine knows before the query
   starts which files and row groups it can leave out. #}
{% macro in_changed_numbers(column, part, current) -%}
    {%- if not is_incremental() -%}
        {{ in_span(column) }}
    {%- else -%}
        {%- set query -%}
            select changed.{{ part }}
            from ({{ changed_parts(current, part) }}) as changed
            order by changed.{{ part }}
        {%- endset -%}
        {%- set found = run_query(query).columns[0].values() if execute else [] -%}
        {%- if found -%}
            {{ column }} in ({{ found | map('int') | join(', ') }}) and {{ in_span(column) }}
        {%- else -%}
            false
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
