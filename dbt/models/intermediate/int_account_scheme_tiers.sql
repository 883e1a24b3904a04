{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted', 'spans': true},
) }}

with valued as (
    select * from {{ ref('int_account_scheme_values') }}
    where {{ in_changed_as_ofs('as_of_index', ref('int_as_ofs_fingerprinted')) }}
),

cut_points as (
    select
        cut_points.*,
        schemes.lowest_tier
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__schemes') }} as schemes on cut_points.scheme = schemes.scheme
),

totals as (
    select
        valued.scheme,
        valued.as_of,
        valued.population,
        cast(sum(valued.value) as decimal(27, 4)) as total,
        count(*) as total_count
    from valued
    where valued.value > 0
    group by valued.scheme, valued.as_of, valued.population
),

-- equal values are peers: the frame of an ordered window ends with the last of them (written out,
-- Spark would refuse it to `rank`), and their sum is their value times their number
summed as (
    select
        valued.*,
        cast(sum(case when valued.value > 0 then valued.value end) over curve as decimal(27, 4))
            as through,
        rank() over curve as first_rank,
        count(*) over curve as last_rank
    from valued
    window curve as (
        partition by valued.scheme, valued.as_of, valued.population
        order by valued.value desc nulls last
    )
),

curve as (
    select
        summed.account_sk,
        summed.as_of,
        summed.as_of_index,
        summed.scheme,
        summed.is_primary,
        summed.population,
        summed.value,
        summed.value_reason,
        totals.total,
        totals.total_count,
        summed.through,
        summed.first_rank - 1 as before_count,
        summed.last_rank as through_count,
        case
            when summed.value > 0
                then cast(
                    summed.through
                    - summed.value
                    * cast(summed.last_rank - summed.first_rank + 1 as decimal(9, 0))
                    as decimal(27, 4)
                )
        end as before_value
    from summed
    left join totals
        on
            summed.scheme = totals.scheme
            and summed.as_of = totals.as_of
            and summed.population = totals.population
),

-- the smallest value above each cut point; a tier without an account has that of the better one
entries as (
    select
        curve.scheme,
        curve.as_of,
        curve.population,
        cut_points.tier_rank,
        min(curve.value) as entry_value
    from curve
    inner join cut_points on curve.scheme = cut_points.scheme
    left join {{ ref('int_abc_curves_measured') }} as abc_curves
        on
            case when cut_points.rule = 'abc_curve' then curve.scheme end = abc_curves.scheme
            and curve.as_of_index = abc_curves.as_of_index
            and curve.population = abc_curves.population
    where
        curve.value > 0
        and (
            {{ reaches_tier(
                'curve.value',
                'curve.before_value', 'curve.through', 'curve.total',
                'curve.before_count', 'curve.through_count', 'curve.total_count'
            ) }}
        )
    group by curve.scheme, curve.as_of, curve.population, cut_points.tier_rank
),

bounded as (
    select
        entries.*,
        lag(entries.entry_value) over (
            partition by entries.scheme, entries.as_of, entries.population
            order by entries.tier_rank
        ) as end_value
    from entries
),

-- a tier's line is the smallest value in it: who reaches it, and not that of a better tier, belongs
-- to it
-- (above the best tier's line there is no other: a value that none reaches, so that both sides are
-- compared as they are and an engine can join by the keys)
lines as (
    select
        bounded.*,
        coalesce(
            cast(bounded.end_value as decimal(38, 4)),
            cast(1000000000000000000000000000000000 as decimal(38, 4))
        ) as beyond_value
    from bounded
    where bounded.end_value is null or bounded.entry_value < bounded.end_value
),

lowest as (
    select
        cut_points.scheme,
        max(cut_points.tier_rank) as tier_rank
    from cut_points
    group by cut_points.scheme
),

tiered as (
    select
        curve.*,
        coalesce(lines.tier_rank, lowest.tier_rank) as tier_rank,
        case
            when lines.tier_rank is not null then 'share'
            when curve.value is null then curve.value_reason
            else 'non_positive'
        end as tier_reason
    from curve
    inner join lowest on curve.scheme = lowest.scheme
    left join lines
        on
            curve.scheme = lines.scheme
            and curve.as_of = lines.as_of
            and curve.population = lines.population
            and curve.value >= lines.entry_value
            and curve.value < lines.beyond_value
)

select
    tiered.account_sk,
    tiered.as_of,
    tiered.as_of_index,
    tiered.scheme,
    tiered.is_primary,
    tiered.population,
    tiered.value,
    tiered.total,
    tiered.tier_rank,
    cut_points.tier,
    tiered.tier_reason,
    {{ ratio('case when tiered.value > 0 then tiered.value end', 'tiered.total') }} as share,
    {{ ratio('tiered.before_value', 'tiered.total') }} as share_before,
    -- an amount is the line itself, whoever has reached it
    cast(
        coalesce(better.cut_value, lines.entry_value) - tiered.value as decimal(18, 4)
    ) as distance,
    as_ofs.input_fingerprint
from tiered
inner join {{ ref('int_as_ofs_fingerprinted') }} as as_ofs on tiered.as_of = as_ofs.as_of
inner join cut_points
    on tiered.scheme = cut_points.scheme and tiered.tier_rank = cut_points.tier_rank
inner join cut_points as better
    on tiered.scheme = better.scheme and greatest(tiered.tier_rank - 1, 1) = better.tier_rank
left join lines
    on
        tiered.scheme = lines.scheme
        and tiered.as_of = lines.as_of
        and tiered.population = lines.population
        and greatest(tiered.tier_rank - 1, 1) = lines.tier_rank
