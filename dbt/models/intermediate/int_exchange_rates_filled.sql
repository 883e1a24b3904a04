{# 18 digits: half of what 64 bits hold twice over #}
{% set small = '1000000000000000000' %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

rates as (
    select
        rate_date,
        from_currency,
        to_currency,
        -- a rate as a fraction of whole numbers: its digits without trailing zeros, over a power of
        -- ten
        regexp_replace(cast(rate as string), '0+$', '') as digits,
        coalesce(units, 1) as units,
        row_number() over (
            partition by rate_date, from_currency, to_currency
            order by source_system
        ) as system_order
    from {{ ref('stg_erp__exchange_rates') }}
    where from_currency <> to_currency
),

fractions as (
    select
        rates.rate_date,
        rates.from_currency,
        rates.to_currency,
        cast(replace(rates.digits, '.', '') as decimal(38, 0)) as rate_numerator,
        cast(
            concat(
                '1', repeat('0', length(rates.digits) - position('.' in rates.digits))
            ) as decimal(38, 0)
        ) * cast(rates.units as decimal(38, 0)) as rate_denominator
    from rates
    where rates.system_order = 1
),

quotes as (
    select
        from_currency as base_currency,
        to_currency as quote_currency,
        1 as method_order,
        rate_date,
        rate_numerator,
        rate_denominator
    from fractions
    union all
    select
        to_currency as base_currency,
        from_currency as quote_currency,
        2 as method_order,
        rate_date,
        rate_denominator as rate_numerator,
        rate_numerator as rate_denominator
    from fractions
),

dated as (
    select
        quotes.*,
        lead(quotes.rate_date) over (
            partition by quotes.base_currency, quotes.quote_currency, quotes.method_order
            order by quotes.rate_date
        ) as next_rate_date
    from quotes
),

filled as (
    select
        {{ add_days('dated.rate_date', 'days.n') }} as rate_for,
        dated.base_currency,
        dated.quote_currency,
        dated.method_order,
        dated.rate_date,
        dated.rate_numerator,
        dated.rate_denominator
    from dated
    cross join parameters
    inner join ({{ numbers() }}) as days
        on
            parameters.max_rate_age_days >= days.n
            and (
                dated.next_rate_date is null
                or {{ add_days('dated.rate_date', 'days.n') }} < dated.next_rate_date
            )
),

best_quotes as (
    select ranked.*
    from (
        select
            filled.*,
            row_number() over (
                partition by filled.base_currency, filled.quote_currency, filled.rate_for
                order by filled.method_order
            ) as quote_order
        from filled
    ) as ranked
    where ranked.quote_order = 1
),

paths as (
    select
        best_quotes.rate_for,
        best_quotes.base_currency as currency,
        best_quotes.rate_numerator,
        best_quotes.rate_denominator,
        best_quotes.rate_date,
        best_quotes.method_order as path_order,
        concat(best_quotes.base_currency, '>', best_quotes.quote_currency) as rate_path
    from best_quotes
    cross join parameters
    where best_quotes.quote_currency = parameters.reporting_currency
    union all
    select
        first_legs.rate_for,
        first_legs.base_currency as currency,
        first_legs.rate_numerator * second_legs.rate_numerator as rate_numerator,
        first_legs.rate_denominator * second_legs.rate_denominator as rate_denominator,
        least(first_legs.rate_date, second_legs.rate_date) as rate_date,
        3 as path_order,
        concat(
            first_legs.base_currency,
            '>',
            first_legs.quote_currency,
            '>',
            second_legs.quote_currency
        ) as rate_path
    from best_quotes as first_legs
    cross join parameters
    inner join best_quotes as second_legs
        on
            first_legs.quote_currency = second_legs.base_currency
            and first_legs.rate_for = second_legs.rate_for
    where
        second_legs.quote_currency = parameters.reporting_currency
        and first_legs.base_currency <> parameters.reporting_currency
        and first_legs.quote_currency <> parameters.reporting_currency
),

chosen as (
    select
        paths.*,
        row_number() over (
            partition by paths.currency, paths.rate_for
            order by paths.path_order, paths.rate_date desc, paths.rate_path
        ) as choice_order
    from paths
),

-- what convert_amount multiplies and divides by, with amounts in ten-thousandths and results in the
-- smallest unit: (2 * amount * numerator + denominator) / (2 * denominator)
scaled as (
    select
        chosen.*,
        2 * chosen.rate_numerator as multiplier,
        chosen.rate_denominator * cast(10000 / parameters.line_scale as decimal(5, 0))
            as half_divisor
    from chosen
    cross join parameters
    where chosen.choice_order = 1
),

limited as (
    select
        scaled.*,
        scaled.multiplier < {{ small }} and scaled.half_divisor < {{ small }} as is_small
    from scaled
)

select
    limited.currency,
    limited.rate_for,
    limited.rate_numerator,
    limited.rate_denominator,
    limited.rate_date,
    limited.rate_path,
    limited.multiplier,
    limited.half_divisor,
    case when limited.is_small then cast(limited.multiplier as bigint) end as small_multiplier,
    case when limited.is_small then cast(limited.half_divisor as bigint) end as small_half_divisor,
    -- the largest amount whose product stays below 8e18, of the 9.2e18 that 64 bits hold
    case
        when limited.is_small
            then cast(
                least(
                    {{ integer_quotient('800000000000000', 'limited.multiplier', 'bigint') }},
                    1000000000
                ) as decimal(18, 4)
            )
        else cast(-1 as decimal(18, 4))
    end as small_amount_limit
from limited
