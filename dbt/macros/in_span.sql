{# Whether a date lies in the span that is being built. A model that says `meta.spans: true` is built span by span of
   its changed months, so that what it gathers fits in memory whatever the years (months_in_spans;
   100 million lines: 97 s of CPU instead of 131, of which the rest was written to disk and read again).
   Outside such a build, as in a unit test, every date does. Spark divides its work itself. #}
{% macro in_span(date) -%}
    {{ return(adapter.dispatch('in_span')(date)) }}
{%- endmacro %}

{% macro duckdb__in_span(date) -%}
    {{ date }} >= coalesce(getvariable('span_begins'), date '0001-01-01')
    and {{ date }} < coalesce(getvariable('span_ends'), date '9999-12-31')
{%- endmacro %}

{% macro spark__in_span(date) -%}
    true
{%- endmacro %}
