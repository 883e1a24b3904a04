{# Whether a date lies in a month that changed_parts gives, as dates written out: an engine prunes files by what is
   known before the query starts, not by what a join finds (one month of 10 million lines: a 25th of the time).
   A model that does not keep all months says `is_bounded`: its first build too reads those of `current` alone. #}
{% macro in_changed_months(date, current, is_bounded=false) -%}
    {%- if not is_incremental() and not is_bounded -%}
        {{ in_span(date, is_date=true) }}
    {%- else -%}
        {%- set query -%}
            select cast({{ month_start('changed.month_index') }} as string) as first_day,
                cast({{ month_start('changed.month_index + 1') }} as string) as next_month
            from ({{ changed_parts(current, 'month_index') }}) as changed
            order by changed.month_index
        {%- endset -%}
        {# compiled without a warehouse there is nothing to ask #}
        {%- set is_built = execute and (is_incremental() or load_relation(current) is not none) -%}
        {%- set ranges = [] -%}
        {%- for row in (run_query(query).rows if is_built else []) -%}
            {%- if ranges and ranges[-1][1] == row[0] -%}
                {%- do ranges.append([ranges.pop()[0], row[1]]) -%}
            {%- else -%}
                {%- do ranges.append([row[0], row[1]]) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for range in ranges -%}
            {{ in_span(date, is_date=true) ~ ' and (' if loop.first }}({{ date }} >= date '{{ range[0] }}' and {{ date }} < date '{{ range[1] }}')
            {{- ')' if loop.last else ' or ' }}
        {%- else -%}
            false
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
