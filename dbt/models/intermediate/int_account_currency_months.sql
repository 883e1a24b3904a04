with lines as (
    select * from {{ ref('int_invoice_lines_converted') }}
    where booking = 'booked'
),

members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'customers'
),

documents as (
    select
        members.account_sk,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        lines.currency,
        lines.source_system,
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
    inner join members
        on lines.source_system = members.source_system and lines.customer_id = members.source_id
    group by
        members.account_sk,
        year(lines.invoice_date) * 12 + month(lines.invoice_date),
        lines.currency,
        lines.source_system,
        lines.invoice_id
),

summed as (
    select
        documents.account_sk,
        documents.month_index,
        documents.currency,
        cast(sum(documents.revenue) as decimal(38, 4)) as revenue,
        cast(sum(documents.revenue_local) as decimal(38, 4)) as revenue_local,
        cast(sum(documents.turnover) as decimal(38, 4)) as turnover,
        cast(coalesce(sum(documents.costed_turnover), 0) as decimal(38, 4)) as costed_turnover,
        cast(coalesce(sum(documents.costed_revenue), 0) as decimal(38, 4)) as costed_revenue,
        cast(coalesce(sum(documents.cost), 0) as decimal(38, 4)) as cost,
        cast(coalesce(sum(documents.recurring_revenue), 0) as decimal(38, 4)) as recurring_revenue,
        cast(sum(documents.line_count) as bigint) as line_count,
        cast(sum(documents.costed_line_count) as bigint) as costed_line_count,
        cast(sum(documents.invoice_count) as bigint) as invoice_count,
        min(documents.first_invoice_date) as first_invoice_date,
        max(documents.last_invoice_date) as last_invoice_date
    from documents
    group by documents.account_sk, documents.month_index, documents.currency
)

select * from summed
