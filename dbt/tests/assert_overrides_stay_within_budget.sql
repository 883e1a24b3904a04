{{ config(
    severity='warn',
    meta={
        'remedy': 'Remove overrides into the tier, or raise final_tier.override_budget in the policy.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with used as (
    select
        tiers.final_tier as tier,
        count(*) as account_count,
        count(tiers.override_tier) as override_count
    from {{ ref('account_tiers') }} as tiers
    where tiers.inactive_since is null
    group by tiers.final_tier
)

select
    used.tier,
    concat(
        cast(used.override_count as string),
        ' of ',
        cast(used.account_count as string),
        ' accounts in ',
        used.tier,
        ' are there by an override, at most ',
        cast(budgets.max_share as string),
        ' of them may be'
    ) as observed
from used
inner join {{ ref('stg_run__override_budgets') }} as budgets on used.tier = budgets.tier
where used.override_count > budgets.max_share * used.account_count
