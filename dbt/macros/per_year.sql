{# A non-negative amount of some months as one of twelve, rounded once, half up, to four places. #}
{% macro per_year(amount, months) -%}
    case
        when {{ months }} = 12 then cast({{ amount }} as decimal(18, 4))
        else cast(
            cast(
                {{ integer_quotient(
                    "cast(cast(" ~ amount ~ " as decimal(18, 4)) * 10000 as bigint) * 24 + " ~ months,
                    "2 * " ~ months, 'bigint'
                ) }} as decimal(18, 0)
            ) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
        )
    end
{%- endmacro %}
