-- only months that have such lines are read again
with flagged as (
    select distinct months.month_index
    from {{ ref('int_customer_currency_months') }} as months
    where months.booking = 'no_exchange_rate'
),

lines as (
    select booked.*
    from {{ ref('int_invoice_lines_booked') }} as booked
    inner join flagged
        on year(booked.invoice_date) * 12 + month(booked.invoice_date) = flagged.month_index
    where booked.left_out_reason is null
),

unconvertible as (
    select
        lines.source_system,
        lines.delivery_id,
        lines.line_number,
        lines.invoice_id,
        lines.invoice_date,
        lines.net_amount,
        lines.currency
    from lines
    cross join {{ ref('stg_run__parameters') }} as parameters
    left join {{ ref('int_exchange_rates_filled') }} as rates
        on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
    where lines.currency <> parameters.reporting_currency and rates.currency is null
)

select * from unconvertible
