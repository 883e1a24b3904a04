{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver rates for the currency and dates in exchange_rates, or raise '
            ~ 'currency.max_rate_age_days.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

select
    lines.source_system,
    lines.currency,
    concat(
        lines.source_system, ': ', cast(sum(lines.line_count) as string), ' lines, together ',
        cast(sum(lines.revenue_local) as string), ' ', lines.currency
    ) as observed
from {{ ref('int_invoice_lines_counted') }} as lines
where lines.booking = 'no_exchange_rate'
group by lines.source_system, lines.currency
