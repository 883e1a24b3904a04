{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver a rate of the currency for the day before as_of (or one at most max_rate_age_days'
            ~ ' older); without it the potential comes from the next basis.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

rates as (
    select rates.currency
    from {{ ref('int_exchange_rates_filled') }} as rates
    inner join parameters on rates.rate_for = {{ add_days('parameters.as_of', -1) }}
),

amounts as (
    select
        'declared potentials' as what,
        accounts.potential_currency as currency,
        accounts.declared_potential as amount
    from {{ ref('int_accounts') }} as accounts
    where accounts.declared_potential is not null
    union all
    select
        'open opportunities' as what,
        opportunities.currency,
        opportunities.amount
    from {{ ref('stg_crm__opportunities') }} as opportunities
    inner join parameters on opportunities.close_date >= parameters.as_of
    where not opportunities.is_closed and opportunities.amount is not null
)

select
    amounts.what,
    concat(
        cast(count(*) as string), ' ', amounts.what, ' without an exchange rate, together ',
        cast(sum(amounts.amount) as string), ' ', amounts.currency
    ) as observed
from amounts
cross join parameters
left join rates on amounts.currency = rates.currency
where amounts.currency <> parameters.reporting_currency and rates.currency is null
group by amounts.what, amounts.currency
