with lines as (
    select * from {{ ref('int_invoice_lines_booked') }}
    where left_out_reason is null
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
