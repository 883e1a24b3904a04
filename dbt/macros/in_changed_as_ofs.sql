{# Whether an as_of_index is among the parts that changed_parts gives, as numbers written out, so that only their
   rows are read. #}
{% macro in_changed_as_ofs(as_of_index, current) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set query -%}
            select changed.as_of_index
            from ({{ changed_parts(current, 'as_of_index') }}) as changed
            order by changed.as_of_index
        {%- endset -%}
        {%- set found = run_query(query).columns[0].values() if execute else [] -%}
        {%- if found -%}
            {{ as_of_index }} in ({{ found | join(', ') }})
        {%- else -%}
            false
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
