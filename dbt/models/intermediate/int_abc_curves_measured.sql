{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted'},
) }}

-- equal values stand together: the curve has a point after each group of them
with points as (
    select
        scheme_values.scheme,
        scheme_values.as_of_index,
        scheme_values.population,
        scheme_values.value,
        count(*) as account_count,
        sum(scheme_values.value) as value_sum
    from {{ ref('int_account_scheme_values') }} as scheme_values
    where
        scheme_values.value > 0
        and {{ in_changed_as_ofs('as_of_index', ref('int_as_ofs_fingerprinted')) }}
    group by
        scheme_values.scheme,
        scheme_values.as_of_index,
        scheme_values.population,
        scheme_values.value
),

totals as (
    select
        points.scheme,
        points.as_of_index,
        points.population,
        cast(sum(points.account_count) as bigint) as total_count,
        cast(sum(points.value_sum) as decimal(27, 4)) as total
    from points
    group by points.scheme, points.as_of_index, points.population
),

summed as (
    select
        points.*,
        cast(sum(points.account_count) over curve as bigint) as through_count,
        cast(sum(points.value_sum) over curve as decimal(27, 4)) as through
    from points
    window curve as (
        partition by points.scheme, points.as_of_index, points.population
        order by points.value desc
        rows between unbounded preceding and current row
    )
),

curve as (
    select
        summed.scheme,
        summed.as_of_index,
        summed.population,
        summed.value,
        summed.through_count,
        summed.through,
        totals.total,
        cast(summed.through_count as double) / cast(totals.total_count as double) as x,
        1 - cast(summed.through as double) / cast(totals.total as double) as short_of_one
    from summed
    inner join totals
        on
            summed.scheme = totals.scheme
            and summed.as_of_index = totals.as_of_index
            and summed.population = totals.population
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
    select curve.*
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
    select curve.*
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
