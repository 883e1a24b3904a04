{{ config(materialized='view') }}

select
    months.account_key,
    months.month,
    months.is_excluded,
    cast(months.revenue as decimal(18, 4)) as revenue,
    cast(months.revenue_constant_currency as decimal(18, 4)) as revenue_constant_currency,
    cast(months.costed_revenue as decimal(18, 4)) as costed_revenue,
    cast(months.cost as decimal(18, 4)) as cost,
    cast(
        case when months.costed_line_count > 0 then months.costed_revenue - months.cost end
        as decimal(18, 4)
    ) as gross_margin,
    {{ ratio('months.costed_turnover', 'months.turnover') }} as cost_coverage,
    cast(months.recurring_revenue as decimal(18, 4)) as recurring_revenue,
    months.invoice_count,
    months.line_count,
    months.currencies
from {{ ref('int_account_months') }} as months
inner join {{ ref('stg_run__parameters') }} as parameters
    on months.month_index < parameters.as_of_month_index
