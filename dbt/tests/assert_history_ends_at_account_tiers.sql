{{ config(
    severity='error',
    meta={
        'remedy': 'Compare int_account_final_tiers and int_account_windows at as_of with account_tiers.',
        'dagster': {'ref': {'name': 'account_tier_history'}},
    },
) }}

select
    tiers.account_key,
    concat(
        tiers.account_key,
        ': ',
        tiers.final_tier,
        ' with ',
        cast(tiers.revenue as string),
        ', in the history ',
        coalesce(history.final_tier, 'no row'),
        ' with ',
        coalesce(cast(history.revenue as string), 'none')
    ) as observed
from {{ ref('account_tiers') }} as tiers
left join {{ ref('account_tier_history') }} as history
    on tiers.account_key = history.account_key and tiers.as_of = history.as_of
where
    tiers.inactive_since is null
    and (
        history.account_key is null
        or history.final_tier <> tiers.final_tier
        or history.revenue <> tiers.revenue
    )
