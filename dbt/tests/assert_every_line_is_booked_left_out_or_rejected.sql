{{ config(
    severity='error',
    meta={
        'remedy':
            'A join on the lines drops or doubles them: look at document_types, '
            ~ 'int_product_costs_dated and int_exchange_rates_filled for missing or doubled keys.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

with counted as (
    select
        coalesce(sum(case when lines.booking <> 'no_exchange_rate' then lines.line_count end), 0)
            as lines_kept,
        coalesce(sum(case when lines.booking = 'no_exchange_rate' then lines.line_count end), 0)
            as lines_unconvertible
    from {{ ref('int_invoice_lines_counted') }} as lines
),

loaded as (
    select coalesce(sum(deliveries.rows_loaded), 0) as rows_loaded
    from {{ ref('int_deliveries_counted') }} as deliveries
    where deliveries.entity = 'invoice_lines'
),

rejected as (
    select count(*) as rows_unconvertible
    from {{ ref('rejected_rows') }} as rejected_rows
    where rejected_rows.rule = 'no_exchange_rate'
)

select
    concat(
        cast(loaded.rows_loaded as string),
        ' invoice lines loaded, ',
        cast(counted.lines_kept as string),
        ' booked or left out; ',
        cast(rejected.rows_unconvertible as string),
        ' rejected without a rate, ',
        cast(counted.lines_unconvertible as string), ' not converted'
    ) as observed
from counted
cross join loaded
cross join rejected
where
    counted.lines_kept <> loaded.rows_loaded
    or counted.lines_unconvertible <> rejected.rows_unconvertible
