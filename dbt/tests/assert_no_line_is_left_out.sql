{{ config(
    severity='warn',
    meta={
        'remedy':
            'Nothing, where the reason is right; else correct document_type, is_cancelled or '
            ~ 'reverses_invoice_id in the extract.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

select
    lines.source_system,
    lines.left_out_reason,
    concat(
        lines.source_system, ': ', cast(sum(lines.line_count) as string), ' lines left out as ',
        lines.left_out_reason
    ) as observed
from {{ ref('int_invoice_lines_counted') }} as lines
where lines.booking = 'left_out'
group by lines.source_system, lines.left_out_reason
