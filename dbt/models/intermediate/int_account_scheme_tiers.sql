with valued as (
    select * from {{ ref('int_account_scheme_values') }}
    where is_ranked
),

cut_points as (
    select * from {{ ref('stg_run__cut_points') }}
),

value_groups as (
    select
        valued.scheme,
        valued.as_of,
        valued.population,
        valued.value,
        cast(sum(valued.value) as decimal(38, 4)) as group_value
    from valued
    where valued.value > 0
    group by valued.scheme, valued.as_of, valued.population, valued.value
),

totals as (
    select
        value_groups.scheme,
        value_groups.as_of,
        value_groups.population,
        sum(value_groups.group_value) as total
    from value_groups
    group by value_groups.scheme, value_groups.as_of, value_groups.population
),

curve as (
    select
        value_groups.*,
        sum(value_groups.group_value) over (
            partition by value_groups.scheme, value_groups.as_of, value_groups.population
            order by value_groups.value desc
            rows between unbounded preceding and current row
        ) as through
    from value_groups
),

group_tiers as (
    select
        curve.scheme,
        curve.as_of,
        curve.population,
        curve.value,
        max(totals.total) as total,
        max(curve.through - curve.group_value) as before_value,
        min(case
            when
                cut_points.cut_millionths is null
                or {{ is_above_cut(
                    '(curve.through - curve.group_value)', 'curve.through', 'totals.total',
                    'cut_points.cut_millionths', 'cut_points.crossing_account'
                ) }}
                then cut_points.tier_rank
        end) as tier_rank
    from curve
    inner join totals
        on
            curve.scheme = totals.scheme
            and curve.as_of = totals.as_of
            and curve.population = totals.population
    inner join cut_points on curve.scheme = cut_points.scheme
    group by curve.scheme, curve.as_of, curve.population, curve.value
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
        valued.account_sk,
        valued.account_key,
        valued.as_of,
        valued.as_of_index,
        valued.scheme,
        valued.is_primary,
        valued.population,
        valued.value,
        group_tiers.total,
        group_tiers.before_value,
        coalesce(group_tiers.tier_rank, lowest.tier_rank) as tier_rank,
        case
            when group_tiers.tier_rank is not null then 'share'
            when valued.value is null then valued.value_reason
            else 'non_positive'
        end as tier_reason
    from valued
    inner join lowest on valued.scheme = lowest.scheme
    left join group_tiers
        on
            valued.scheme = group_tiers.scheme
            and valued.as_of = group_tiers.as_of
            and valued.population = group_tiers.population
            and valued.value = group_tiers.value
),

-- a tier's line is the smallest value in it: who reaches it, belongs to it
lines as (
    select
        group_tiers.scheme,
        group_tiers.as_of,
        group_tiers.population,
        group_tiers.tier_rank,
        min(group_tiers.value) as entry_value
    from group_tiers
    group by
        group_tiers.scheme, group_tiers.as_of, group_tiers.population, group_tiers.tier_rank
)

select
    tiered.account_sk,
    tiered.account_key,
    tiered.as_of,
    tiered.as_of_index,
    tiered.scheme,
    tiered.is_primary,
    tiered.population,
    tiered.value,
    tiered.total,
    tiered.before_value,
    tiered.tier_rank,
    cut_points.tier,
    tiered.tier_reason,
    {{ ratio('case when tiered.value > 0 then tiered.value end', 'tiered.total') }} as share,
    {{ ratio('tiered.before_value', 'tiered.total') }} as share_before,
    cast(lines.entry_value - tiered.value as decimal(38, 4)) as distance
from tiered
inner join cut_points
    on tiered.scheme = cut_points.scheme and tiered.tier_rank = cut_points.tier_rank
left join lines
    on
        tiered.scheme = lines.scheme
        and tiered.as_of = lines.as_of
        and tiered.population = lines.population
        and greatest(tiered.tier_rank - 1, 1) = lines.tier_rank
