{# Fails on each row in which one of the columns lacks a value. One query for all of them, where dbt's own
   `not_null` takes one per column. #}
{% test is_present(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
