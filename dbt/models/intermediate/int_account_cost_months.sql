with costs as (
    select * from {{ ref('stg_erp__account_costs') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

rates as (
    select * from {{ ref('int_exchange_rates_filled') }}
),

members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'customers'
),

converted as (
    select
        members.account_sk,
        cast(year(costs.cost_date) * 12 + month(costs.cost_date) as integer) as month_index,
        costs.cost_type,
        case
            when costs.currency = parameters.reporting_currency then costs.amount
            else {{ convert_amount('costs.amount', 'rates') }}
        end as amount
    from costs
    cross join parameters
    inner join members
        on
            costs.source_system = members.source_system
            and costs.customer_id = members.source_id
    left join rates on costs.currency = rates.currency and costs.cost_date = rates.rate_for
)

select
    converted.account_sk,
    converted.month_index,
    cast(
        sum(case when converted.cost_type = 'rebate' then converted.amount else 0 end)
        as decimal(18, 4)
    ) as rebates,
    cast(
        sum(case when converted.cost_type <> 'rebate' then converted.amount else 0 end)
        as decimal(18, 4)
    ) as cost_to_serve
from converted
where converted.amount is not null
group by converted.account_sk, converted.month_index
