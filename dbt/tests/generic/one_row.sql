{# Fails unless the model has exactly one row. #}
{% test one_row(model) %}
    select count(*) as rows_found
    from {{ model }}
    having count(*) <> 1
{% endtest %}
