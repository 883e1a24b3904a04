{{ config(
    severity='error',
    meta={
        'remedy': 'Correct the currency in the extract.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

select
    lines.source_system,
    lines.currency,
    concat(
        lines.source_system, ': ', coalesce(lines.currency, 'no currency'), ' on ',
        cast(sum(lines.line_count) as string), ' invoice lines'
    ) as observed
from {{ ref('int_invoice_lines_counted') }} as lines
where
    lines.currency is null or length(lines.currency) <> 3 or lines.currency <> upper(lines.currency)
group by lines.source_system, lines.currency
