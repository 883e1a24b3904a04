{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver the customer in the customers extract; until then it is an account of its '
            ~ 'own, named by its id.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    tiers.account_key,
    concat(
        tiers.account_key,
        ': invoiced, not in the customers extract; ',
        cast(tiers.revenue as string),
        ' in the window'
    ) as observed
from {{ ref('account_tiers') }} as tiers
where tiers.is_placeholder
