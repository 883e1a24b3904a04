{{ config(
    severity='warn',
    meta={
        'remedy':
            'Mend the rejected rows of the named month (rejected_rows): they are missing from its revenue.',
        'dagster': {'ref': {'name': 'revenue_reconciliation'}},
    },
) }}

{{ reconciled_months('explained') }}
