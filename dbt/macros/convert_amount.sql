{# amount * numerator / denominator, rounded once, half away from zero, to the reporting currency's places
   (line_scale = 10 ^ places, line_step = 1 / line_scale). Whole numbers all the way: DuckDB divides decimals as doubles. #}
{% macro convert_amount(amount, numerator, denominator) -%}
    {%- set dividend -%}
        (
            cast(abs(cast({{ amount }} as decimal(38, 4))) * 10000 as decimal(38, 0))
            * cast({{ numerator }} as decimal(38, 0))
            * cast(parameters.line_scale as decimal(38, 0))
        )
    {%- endset -%}
    {%- set divisor -%}
        (cast({{ denominator }} as decimal(38, 0)) * cast(10000 as decimal(38, 0)))
    {%- endset -%}
    cast(
        sign({{ amount }})
        * cast({{ integer_quotient("(2 * " ~ dividend ~ " + " ~ divisor ~ ")", "(2 * " ~ divisor ~ ")") }} as decimal(22, 0))
        * parameters.line_step as decimal(18, 4)
    )
{%- endmacro %}
