{{ config(
    severity='warn',
    meta={
        'remedy':
            'Correct invoice_date in the extract; such lines count in no window until their month'
            ~ ' is closed.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

select
    lines.source_system,
    concat(
        lines.source_system,
        ': ',
        cast(sum(lines.line_count) as string),
        ' lines dated after the month of the run, up to ',
        cast({{ month_start('max(lines.month_index)') }} as string)
    ) as observed
from {{ ref('int_invoice_lines_counted') }} as lines
cross join {{ ref('stg_run__parameters') }} as parameters
where
    lines.month_index > year(parameters.run_at) * 12 + month(parameters.run_at)
    and lines.month_index > parameters.as_of_month_index
group by lines.source_system
