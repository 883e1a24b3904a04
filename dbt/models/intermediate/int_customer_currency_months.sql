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

documents as (
    select
        lines.source_system,
        lines.customer_id,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        lines.currency,
        lines.booking,
        lines.left_out_reason,
        lines.invoice_id,
        sum(lines.revenue) as revenue,
        sum(lines.revenue_local) as revenue_local,
        sum(abs(lines.revenue)) as turnover,
        sum(case when lines.cost is not null then abs(lines.revenue) end) as costed_turnover,
        sum(case when lines.cost is not null then lines.revenue end) as costed_revenue,
        sum(lines.cost) as cost,
        sum(case when lines.is_recurring then lines.revenue end) as recurring_revenue,
        count(*) as line_count,
        count(lines.cost) as costed_line_count,
        max(case when lines.is_sale then 1 else 0 end) as invoice_count,
        min(case when lines.is_sale then lines.invoice_date end) as first_invoice_date,
        max(case when lines.is_sale then lines.invoice_date end) as last_invoice_date
    from lines
    group by
        lines.source_system,
        lines.customer_id,
        year(lines.invoice_date) * 12 + month(lines.invoice_date),
        lines.currency,
        lines.booking,
        lines.left_out_reason,
        lines.invoice_id
),

summed as (
    select
        documents.source_system,
        documents.customer_id,
        documents.month_index,
        documents.currency,
        documents.booking,
        documents.left_out_reason,
        cast(sum(documents.revenue) as decimal(18, 4)) as revenue,
        cast(sum(documents.revenue_local) as decimal(18, 4)) as revenue_local,
        cast(sum(documents.turnover) as decimal(18, 4)) as turnover,
        cast(coalesce(sum(documents.costed_turnover), 0) as decimal(18, 4)) as costed_turnover,
        cast(coalesce(sum(documents.costed_revenue), 0) as decimal(18, 4)) as costed_revenue,
        cast(coalesce(sum(documents.cost), 0) as decimal(18, 4)) as cost,
        cast(coalesce(sum(documents.recurring_revenue), 0) as decimal(18, 4)) as recurring_revenue,
        cast(sum(documents.line_count) as bigint) as line_count,
        cast(sum(documents.costed_line_count) as bigint) as costed_line_count,
        cast(sum(documents.invoice_count) as bigint) as invoice_count,
        min(documents.first_invoice_date) as first_invoice_date,
        max(documents.last_invoice_date) as last_invoice_date
    from documents
    group by
        documents.source_system,
        documents.customer_id,
        documents.month_index,
        documents.currency,
        documents.booking,
        documents.left_out_reason
)

select
    summed.*,
    months.input_fingerprint
from summed
inner join {{ ref('int_invoice_months_fingerprinted') }} as months
    on summed.month_index = months.month_index
