{# Fails on each row in which one of the columns lies outside 0..1; null passes. #}
{% test between_zero_and_one(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {% for column in columns %}{{ column }} not between 0 and 1{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
