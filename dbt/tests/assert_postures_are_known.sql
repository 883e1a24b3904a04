{{ config(
    severity='error',
    meta={
        'remedy': 'Give each pair of tiers a posture in tier_matrix.csv.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

-- `fix` stands in no row of the matrix: a negative margin sets it, whatever the tiers say
with known as (
    select matrix.posture
    from {{ ref('tier_matrix') }} as matrix
    union all
    select 'fix' as posture
    union all
    select 'serve lean' as posture
),

used as (
    select tiers.posture
    from {{ ref('account_tiers') }} as tiers
    where tiers.inactive_since is null
    union all
    select history.posture
    from {{ ref('account_tier_history') }} as history
)

select
    used.posture,
    concat(coalesce(used.posture, 'no posture'), ' on ', cast(count(*) as string), ' rows')
        as observed
from used
left join known on used.posture = known.posture
where known.posture is null
group by used.posture
