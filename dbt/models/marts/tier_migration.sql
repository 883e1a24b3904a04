select
    today.as_of,
    {{ month_start('today.as_of_index - 1') }} as month,
    coalesce(before.final_tier, 'none') as from_tier,
    today.final_tier as to_tier,
    count(*) as account_count,
    cast(sum(coalesce(before.revenue, 0)) as decimal(38, 4)) as revenue_before,
    cast(sum(today.revenue) as decimal(38, 4)) as revenue
from {{ ref('int_account_final_tiers') }} as today
inner join {{ ref('stg_run__parameters') }} as parameters
    on today.as_of_index > parameters.as_of_month_index - parameters.history_months
left join {{ ref('int_account_final_tiers') }} as before
    on today.account_sk = before.account_sk and today.as_of_index - 1 = before.as_of_index
group by today.as_of, today.as_of_index, coalesce(before.final_tier, 'none'), today.final_tier
