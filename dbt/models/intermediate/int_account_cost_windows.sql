select
    cost_months.account_sk,
    as_ofs.as_of_index,
    cast(sum(cost_months.rebates) as decimal(18, 4)) as rebates,
    cast(sum(cost_months.cost_to_serve) as decimal(18, 4)) as cost_to_serve
from {{ ref('int_account_cost_months') }} as cost_months
cross join {{ ref('stg_run__parameters') }} as parameters
inner join {{ ref('int_as_ofs') }} as as_ofs
    on
        cost_months.month_index < as_ofs.as_of_index
        and cost_months.month_index >= as_ofs.as_of_index - parameters.window_months
group by cost_months.account_sk, as_ofs.as_of_index
