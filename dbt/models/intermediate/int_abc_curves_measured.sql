{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted', 'spans': true},
) }}

-- equal values are peers: the frame of an ordered window ends with the last of them, so they stand
-- together, each at the point behind them all
with points as (
    select
        scheme_values.scheme,
        scheme_values.as_of_index,
        scheme_values.population,
        scheme_values.value,
        count(*) over curve as through_count,
        cast(sum(scheme_values.value) over curve as decimal(27, 4)) as through
    from {{ ref('int_account_scheme_values') }} as scheme_values
    where
        scheme_values.value > 0
        and {{ in_changed_as_ofs('as_of_index', ref('int_as_ofs_fingerprinted')) }}
    window curve as (
        partition by scheme_values.scheme, scheme_values.as_of_index, scheme_values.population
        order by scheme_values.value desc
    )
),

totals as (
    select
        points.scheme,
        points.as_of_index,
        points.population,
        max(points.through_count) as total_count,
        max(points.through) as total
    from points
    group by points.scheme, points.as_of_index, points.population
),

curve as (
    select
        points.scheme,
        points.as_of_index,
        points.population,
        points.value,
        points.through_count,
        points.through,
        totals.total,
        cast(points.through_count as double) / cast(totals.total_count as double) as x,
        1 - cast(points.through as double) / cast(totals.total as double) as short_of_one
    from points
    inner join totals
        on
            points.scheme = totals.scheme
            and points.as_of_index = totals.as_of_index
            and points.population = totals.population
),

-- a distance between shares has no exact form: compared at twelve places, the fewer accounts win.
-- The nearest point is found by two minima, not by a sort of all points
first_distances as (
    select
        curve.scheme,
        curve.as_of_index,
        curve.population,
        curve.through_count,
        {{ ratio('curve.x * curve.x + curve.short_of_one * curve.short_of_one', '1') }} as distance
    from curve
),

first_nearest as (
    {{ nearest_points('first_distances') }}
),

first_ends as (
    select distinct curve.*
    from curve
    inner join first_nearest
        on
            curve.scheme = first_nearest.scheme
            and curve.as_of_index = first_nearest.as_of_index
            and curve.population = first_nearest.population
            and curve.through_count = first_nearest.through_count
),

second_distances as (
    select
        curve.scheme,
        curve.as_of_index,
        curve.population,
        curve.through_count,
        {{ ratio(
            '(curve.x - first_ends.x) * (curve.x - first_ends.x) '
            ~ '+ curve.short_of_one * curve.short_of_one',
            '1'
        ) }} as distance
    from curve
    inner join first_ends
        on
            curve.scheme = first_ends.scheme
            and curve.as_of_index = first_ends.as_of_index
            and curve.population = first_ends.population
),

second_nearest as (
    {{ nearest_points('second_distances') }}
),

second_ends as (
    select distinct curve.*
    from curve
    inner join second_nearest
        on
            curve.scheme = second_nearest.scheme
            and curve.as_of_index = second_nearest.as_of_index
            and curve.population = second_nearest.population
            and curve.through_count = second_nearest.through_count
)

select
    first_ends.scheme,
    first_ends.as_of_index,
    first_ends.population,
    first_ends.value as first_entry_value,
    first_ends.through_count as first_account_count,
    {{ ratio('first_ends.through', 'first_ends.total') }} as first_share,
    second_ends.value as second_entry_value,
    second_ends.through_count as second_account_count,
    {{ ratio('second_ends.through', 'second_ends.total') }} as second_share,
    as_ofs.input_fingerprint
from first_ends
inner join second_ends
    on
        first_ends.scheme = second_ends.scheme
        and first_ends.as_of_index = second_ends.as_of_index
        and first_ends.population = second_ends.population
inner join {{ ref('int_as_ofs_fingerprinted') }} as as_ofs
    on first_ends.as_of_index = as_ofs.as_of_index
