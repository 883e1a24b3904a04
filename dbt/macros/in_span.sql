{# Whether a row's part lies in the span that is being built: `part` is its number, or, with `is_date`, a date whose month
   is its part. A model that says `meta.spans: true` is built span by span (parts_in_spans,
   duckdb__create_table_as), so that what it gathers or sorts does not grow with the years: of 100 million lines
   account x month takes 97 s of CPU instead of 131, of which the rest was written to disk and read again.
   Outside such a build, as in a unit test, every part does. Spark divides its work itself. #}
{% macro in_span(part, is_date=false) -%}
    {%- if (config.get('meta') or {}).get('spans') -%}
        {{ return(adapter.dispatch('in_span')(part, is_date)) }}
    {%- endif -%}
    {{ return('true') }}
{%- endmacro %}

{% macro duckdb__in_span(part, is_date) -%}
    {%- if is_date -%}
        {{ part }} >= coalesce({{ month_start("getvariable('span_first')") }}, date '0001-01-01')
        and {{ part }} < coalesce({{ month_start("(getvariable('span_last') + 1)") }}, date '9999-12-31')
    {%- else -%}
        {{ part }} between coalesce(getvariable('span_first'), -2147483648) and coalesce(getvariable('span_last'), 2147483647)
    {%- endif -%}
{%- endmacro %}

{% macro spark__in_span(part, is_date) -%}
    true
{%- endmacro %}
