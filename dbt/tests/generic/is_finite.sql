{# Fails on each row in which one of the columns is NaN or infinite: then x - x is NaN, on both engines. #}
{% test is_finite(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {% for column in columns %}{{ column }} - {{ column }} <> 0{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
