{# Fails on each combination of the columns that stands in more than one row or lacks a value: together they are
   the model's key. dbt's own `unique` takes one column, and packages cannot be fetched without a network. #}
{% test unique_combination(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as rows_found
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1{% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
