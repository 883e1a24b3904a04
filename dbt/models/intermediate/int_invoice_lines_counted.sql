with lines as (
    select * from {{ ref('int_invoice_lines_converted') }}
),

counted as (
    select
        lines.source_system,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        lines.currency,
        lines.booking,
        lines.left_out_reason,
        count(*) as line_count,
        cast(sum(lines.revenue) as decimal(38, 4)) as revenue,
        cast(sum(lines.revenue_local) as decimal(38, 4)) as revenue_local
    from lines
    group by
        lines.source_system,
        year(lines.invoice_date) * 12 + month(lines.invoice_date),
        lines.currency,
        lines.booking,
        lines.left_out_reason
)

select * from counted
