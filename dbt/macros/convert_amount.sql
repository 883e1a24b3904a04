{# amount * rate, rounded once, half away from zero, to the reporting currency's places. `rates` is the alias of
   int_exchange_rates_filled, where the rate is a fraction of whole numbers: nothing goes through a double.
   Amounts up to `small_amount_limit` fit 64 bits all the way, which DuckDB divides 50 times faster. #}
{% macro convert_amount(amount, rates) -%}
    {%- set scaled = "cast(abs(" ~ amount ~ ") * 10000 as bigint)" -%}
    {%- set scaled_wide = "cast(abs(cast(" ~ amount ~ " as decimal(38, 4))) * 10000 as decimal(38, 0))" -%}
    case
        when abs({{ amount }}) <= {{ rates }}.small_amount_limit
            then cast(
                {{ sign_of(amount) }}
                * {{ integer_quotient(
                    scaled ~ " * " ~ rates ~ ".small_multiplier + " ~ rates ~ ".small_half_divisor",
                    "2 * " ~ rates ~ ".small_half_divisor", 'bigint'
                ) }}
                * parameters.line_step as decimal(18, 4)
            )
        else cast(
            {{ sign_of(amount) }}
            * cast({{ integer_quotient(
                scaled_wide ~ " * " ~ rates ~ ".multiplier + " ~ rates ~ ".half_divisor",
                "2 * " ~ rates ~ ".half_divisor", 'decimal(38, 0)'
            ) }} as decimal(22, 0))
            * parameters.line_step as decimal(18, 4)
        )
    end
{%- endmacro %}
