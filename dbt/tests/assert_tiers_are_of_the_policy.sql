{{ config(
    severity='error',
    meta={
        'remedy': 'Name the tier in the policy, or correct tier_matrix.csv, which leads to it.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

-- an account that the extracts no longer hold keeps the tier of its last release, maybe of another
-- policy
with primary_tiers as (
    select cut_points.tier
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__schemes') }} as schemes
        on cut_points.scheme = schemes.scheme and schemes.is_primary
),

used as (
    {% for column in ['value_tier', 'raw_tier', 'stable_tier', 'override_tier', 'final_tier'] %}
        select distinct
            'account_tiers.{{ column }}' as place,
            tiers.{{ column }} as tier
        from {{ ref('account_tiers') }} as tiers
        where tiers.inactive_since is null
        union all
        select distinct
            'account_tier_history.{{ column }}' as place,
            history.{{ column }} as tier
        from {{ ref('account_tier_history') }} as history
        union all
    {% endfor %}
    {% for column in ['from_tier', 'to_tier'] %}
        select distinct
            'tier_moves.{{ column }}' as place,
            moves.{{ column }} as tier
        from {{ ref('tier_moves') }} as moves
        where moves.move_kind = 'monthly'
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

of_schemes as (
    select distinct
        points.scheme,
        points.tier
    from {{ ref('pareto_curve') }} as points
)

select
    used.place,
    concat(used.place, ': ', used.tier) as observed
from used
left join primary_tiers on used.tier = primary_tiers.tier
where used.tier is not null and primary_tiers.tier is null
union all
select
    'pareto_curve.tier' as place,
    concat('pareto_curve.tier of ', of_schemes.scheme, ': ', coalesce(of_schemes.tier, 'missing'))
        as observed
from of_schemes
left join {{ ref('stg_run__cut_points') }} as cut_points
    on of_schemes.scheme = cut_points.scheme and of_schemes.tier = cut_points.tier
where cut_points.tier is null
