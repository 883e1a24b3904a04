with customer_months as (
    select * from {{ ref('int_customer_currency_months') }}
),

counted as (
    select
        customer_months.source_system,
        customer_months.month_index,
        customer_months.currency,
        customer_months.booking,
        customer_months.left_out_reason,
        cast(sum(customer_months.line_count) as bigint) as line_count,
        cast(sum(customer_months.revenue) as decimal(38, 4)) as revenue,
        cast(sum(customer_months.revenue_local) as decimal(38, 4)) as revenue_local
    from customer_months
    group by
        customer_months.source_system,
        customer_months.month_index,
        customer_months.currency,
        customer_months.booking,
        customer_months.left_out_reason
)

select * from counted
