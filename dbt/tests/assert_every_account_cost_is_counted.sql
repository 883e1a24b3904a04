{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver a rate of the currency for the day (or one at most max_rate_age_days older), and the'
            ~ ' customer in the customers extract; without them the cost is missing from the net margin.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with costs as (
    select * from {{ ref('stg_erp__account_costs') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

judged as (
    select
        costs.source_system,
        costs.currency,
        costs.amount,
        case
            when members.account_sk is null then 'of customers that are not known'
            when
                costs.currency <> parameters.reporting_currency and rates.currency is null
                then 'without an exchange rate'
        end as problem
    from costs
    cross join parameters
    left join {{ ref('int_account_members') }} as members
        on
            costs.source_system = members.source_system
            and costs.customer_id = members.source_id
            and members.source_entity = 'customers'
    left join {{ ref('int_exchange_rates_filled') }} as rates
        on costs.currency = rates.currency and costs.cost_date = rates.rate_for
)

select
    judged.source_system,
    judged.problem,
    concat(
        judged.source_system, ': ', cast(count(*) as string), ' account costs ', judged.problem,
        ', together ', cast(sum(judged.amount) as string), ' ', judged.currency
    ) as observed
from judged
where judged.problem is not null
group by judged.source_system, judged.problem, judged.currency
