-- what was published of a month, and what was published of the same month later
with published as (
    select * from {{ ref('int_tiers_published') }}
),

tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__parameters') }} as parameters
        on cut_points.scheme = parameters.primary_scheme
),

followed as (
    select
        published.account_key,
        published.as_of,
        published.published_at,
        published.final_tier as to_final_tier,
        lag(published.final_tier) over versions as from_final_tier,
        published.value as to_value,
        lag(published.value) over versions as from_value,
        published.value_tier as to_value_tier,
        lag(published.value_tier) over versions as from_value_tier,
        published.potential_tier as to_potential_tier,
        lag(published.potential_tier) over versions as from_potential_tier,
        published.override_tier as to_override_tier,
        lag(published.override_tier) over versions as from_override_tier,
        published.members_hash as to_members_hash,
        lag(published.members_hash) over versions as from_members_hash,
        published.rules_hash as to_rules_hash,
        lag(published.rules_hash) over versions as from_rules_hash
    from published
    window versions as (
        partition by published.account_key, published.as_of
        order by published.published_at
    )
)

select
    followed.account_key,
    followed.as_of,
    followed.published_at,
    followed.from_final_tier as from_tier,
    followed.to_final_tier as to_tier,
    case
        when to_tiers.tier_rank > from_tiers.tier_rank then 'demoted'
        when to_tiers.tier_rank < from_tiers.tier_rank then 'promoted'
        -- a tier of another policy, which has no place in this one
        else 'renamed'
    end as direction,
    case
        when
            {{ differs('followed.from_override_tier', 'followed.to_override_tier') }}
            then 'override'
        when followed.from_members_hash <> followed.to_members_hash then 'identity'
        when followed.from_rules_hash <> followed.to_rules_hash then 'policy'
        when
            not {{ differs('followed.from_value_tier', 'followed.to_value_tier') }}
            and {{ differs('followed.from_potential_tier', 'followed.to_potential_tier') }}
            then 'potential'
        when {{ differs('followed.from_value', 'followed.to_value') }} then 'own_value'
        else 'portfolio'
    end as move_cause,
    followed.from_value,
    followed.to_value
from followed
left join tiers as from_tiers on followed.from_final_tier = from_tiers.tier
left join tiers as to_tiers on followed.to_final_tier = to_tiers.tier
where followed.from_final_tier <> followed.to_final_tier
