{{ config(
    severity='error',
    meta={
        'remedy':
            'Deliver the lines that are missing of the named month (rejected_rows says what was not read), or the '
            ~ 'corrected total; raise gate.control_total_tolerance where the difference is known to be rounding.',
        'dagster': {'ref': {'name': 'revenue_reconciliation'}},
    },
) }}

{{ reconciled_months('differs') }}
