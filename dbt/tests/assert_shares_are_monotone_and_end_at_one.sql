{{ config(
    severity='error',
    meta={
        'remedy':
            'Look at int_account_scheme_ranks: the values of the curve and their total do not '
            ~ 'belong together.',
        'dagster': {'ref': {'name': 'pareto_curve'}},
    },
) }}

with curve as (
    select
        points.scheme,
        points.population,
        points.curve_rank,
        points.value,
        points.share_before,
        points.cumulative_share,
        lag(points.share_before) over (
            partition by points.scheme, points.population
            order by points.curve_rank
        ) as previous_share_before,
        lag(points.cumulative_share) over (
            partition by points.scheme, points.population
            order by points.curve_rank
        ) as previous_cumulative_share,
        max(points.curve_rank) over (partition by points.scheme, points.population) as last_rank
    from {{ ref('pareto_curve') }} as points
    where points.value > 0
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
        ': cumulative share ',
        coalesce(cast(curve.cumulative_share as string), 'missing'), ', before it ',
        coalesce(cast(curve.previous_cumulative_share as string), 'none'), ', share before ',
        coalesce(cast(curve.share_before as string), 'missing')
    ) as observed
from curve
where
    curve.cumulative_share is null
    or curve.share_before is null
    or curve.cumulative_share < curve.previous_cumulative_share
    or curve.share_before < curve.previous_share_before
    or (curve.curve_rank = 1 and curve.share_before <> 0)
    or (curve.curve_rank = curve.last_rank and curve.cumulative_share <> 1)
