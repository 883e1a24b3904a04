{{ config(
    severity='warn',
    meta={
        'remedy': 'Remove the override: the figures carry the tier by now.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    tiers.account_key,
    concat(
        tiers.account_key, ': ', tiers.override_tier, ' is what is computed without the override'
    ) as observed
from {{ ref('account_tiers') }} as tiers
where tiers.override_tier = tiers.stable_tier
