{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='month_index',
    meta={'parts': 'int_invoice_months_fingerprinted', 'spans': true},
) }}

with lines as (
    select * from {{ ref('int_invoice_lines_converted') }}
    where {{ in_changed_months('invoice_date', ref('int_invoice_months_fingerprinted')) }}
),

summed as (
    select
        lines.source_system,
        lines.customer_id,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        lines.currency,
        lines.booking,
        lines.left_out_reason,
        cast(sum(lines.revenue) as decimal(18, 4)) as revenue,
        cast(sum(lines.revenue_local) as decimal(18, 4)) as revenue_local,
        cast(sum(abs(lines.revenue)) as decimal(18, 4)) as turnover,
        cast(
            coalesce(sum(case when lines.cost is not null then abs(lines.revenue) end), 0)
            as decimal(18, 4)
        ) as costed_turnover,
        cast(
            coalesce(sum(case when lines.cost is not null then lines.revenue end), 0)
            as decimal(18, 4)
        ) as costed_revenue,
        cast(coalesce(sum(lines.cost), 0) as decimal(18, 4)) as cost,
        cast(
            coalesce(sum(case when lines.is_recurring then lines.revenue end), 0)
            as decimal(18, 4)
        ) as recurring_revenue,
        cast(count(*) as bigint) as line_count,
        cast(count(lines.cost) as bigint) as costed_line_count,
        cast(count(distinct case when lines.is_sale then lines.invoice_id end) as bigint)
            as invoice_count,
        min(case when lines.is_sale then lines.invoice_date end) as first_invoice_date,
        max(case when lines.is_sale then lines.invoice_date end) as last_invoice_date
    from lines
    group by
        lines.source_system,
        lines.customer_id,
        year(lines.invoice_date) * 12 + month(lines.invoice_date),
        lines.currency,
        lines.booking,
        lines.left_out_reason
)

select
    summed.*,
    months.input_fingerprint
from summed
inner join {{ ref('int_invoice_months_fingerprinted') }} as months
    on summed.month_index = months.month_index
