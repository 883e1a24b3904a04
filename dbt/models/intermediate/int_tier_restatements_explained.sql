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
        {% for column in [
            'final_tier', 'value', 'value_tier', 'potential_tier', 'override_tier', 'members_hash',
            'rules_hash',
        ] %}
            published.{{ column }} as to_{{ column }},
            lag(published.{{ column }}) over versions as from_{{ column }}{{ ',' if not loop.last }}
        {% endfor %}
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
        else 'promoted'
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
