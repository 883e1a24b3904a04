{{ config(
    severity='error',
    meta={
        'remedy':
            'Look at is_above_cut and at the cut points of the scheme: they must fall in the '
            ~ 'order of the tiers.',
        'dagster': {'ref': {'name': 'pareto_curve'}},
    },
) }}

with curve as (
    select
        points.scheme,
        points.population,
        points.curve_rank,
        points.value,
        cut_points.tier_rank,
        lag(points.value) over (
            partition by points.scheme, points.population
            order by points.curve_rank
        ) as previous_value,
        lag(cut_points.tier_rank) over (
            partition by points.scheme, points.population
            order by points.curve_rank
        ) as previous_tier_rank
    from {{ ref('pareto_curve') }} as points
    inner join {{ ref('stg_run__cut_points') }} as cut_points
        on points.scheme = cut_points.scheme and points.tier = cut_points.tier
)

select
    curve.scheme,
    curve.population,
    concat(
        curve.scheme,
        ' of ',
        curve.population,
        ', rank ',
        cast(curve.curve_rank as string),
        ': value ',
        cast(curve.value as string),
        ' in tier number ',
        cast(curve.tier_rank as string),
        ', after ',
        cast(curve.previous_value as string),
        ' in tier number ',
        cast(curve.previous_tier_rank as string)
    ) as observed
from curve
where
    curve.value > curve.previous_value
    or curve.tier_rank < curve.previous_tier_rank
    or (curve.value = curve.previous_value and curve.tier_rank <> curve.previous_tier_rank)
