with moves as (
    select * from {{ ref('int_tier_moves_found') }}
    where to_value > 0 and reference_index is not null
),

cut_points as (
    select
        cut_points.*,
        schemes.lowest_tier
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__schemes') }} as schemes on cut_points.scheme = schemes.scheme
    inner join {{ ref('stg_run__parameters') }} as parameters
        on cut_points.scheme = parameters.primary_scheme
),

portfolios as (
    select
        scheme_tiers.as_of_index,
        scheme_tiers.population,
        scheme_tiers.value,
        scheme_tiers.total
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    where scheme_tiers.is_primary and scheme_tiers.value > 0
),

totals as (
    select
        portfolios.as_of_index,
        portfolios.population,
        max(portfolios.total) as total,
        count(*) as total_count
    from portfolios
    group by portfolios.as_of_index, portfolios.population
),

asked as (
    select
        moves.reference_index as as_of_index,
        moves.value_population as population,
        moves.to_value as value
    from moves
    group by moves.reference_index, moves.value_population, moves.to_value
),

-- what stands above each value that is asked for: one sort of the portfolios with the values asked
-- for among them, where a join on larger values would grow with their product
above as (
    select
        ordered.as_of_index,
        ordered.population,
        ordered.value,
        ordered.through,
        ordered.place - row_number() over (
            partition by ordered.as_of_index, ordered.population
            order by ordered.value desc
        ) as before_count
    from (
        select
            points.*,
            sum(points.amount) over curve as through,
            rank() over curve as place
        from (
            select
                portfolios.as_of_index,
                portfolios.population,
                portfolios.value,
                portfolios.value as amount
            from portfolios
            union all
            select
                asked.as_of_index,
                asked.population,
                asked.value,
                null as amount
            from asked
        ) as points
        window curve as (
            partition by points.as_of_index, points.population
            order by points.value desc
        )
    ) as ordered
    where ordered.amount is null
),

equals as (
    select
        asked.as_of_index,
        asked.population,
        asked.value,
        count(*) as equal_count
    from asked
    inner join portfolios
        on
            asked.as_of_index = portfolios.as_of_index
            and asked.population = portfolios.population
            and asked.value = portfolios.value
    group by asked.as_of_index, asked.population, asked.value
),

-- the account's own old value is taken out, its new one is put in
replaced as (
    select
        moves.account_sk,
        moves.as_of_index,
        moves.reference_index,
        moves.value_population,
        moves.to_value,
        cast(
            coalesce(above.through, 0)
            - moves.to_value * cast(coalesce(equals.equal_count, 0) as decimal(9, 0))
            - case when moves.reference_value > moves.to_value then moves.reference_value else 0 end
            as decimal(27, 4)
        ) as before_value,
        above.before_count
        - case when moves.reference_value > moves.to_value then 1 else 0 end as before_count,
        coalesce(equals.equal_count, 0) + 1
        - case when moves.reference_value = moves.to_value then 1 else 0 end as equal_count,
        cast(
            coalesce(totals.total, 0) - coalesce(moves.reference_value, 0) + moves.to_value
            as decimal(27, 4)
        ) as total,
        coalesce(totals.total_count, 0)
        + case when moves.reference_value is null then 1 else 0 end as total_count
    from moves
    inner join above
        on
            moves.reference_index = above.as_of_index
            and moves.value_population = above.population
            and moves.to_value = above.value
    left join equals
        on
            moves.reference_index = equals.as_of_index
            and moves.value_population = equals.population
            and moves.to_value = equals.value
    left join totals
        on
            moves.reference_index = totals.as_of_index
            and moves.value_population = totals.population
)

select
    replaced.account_sk,
    replaced.as_of_index,
    min(cut_points.tier_rank) as value_tier_rank
from replaced
cross join cut_points
-- the curve's own ends are those of then: to find them once more would take a curve per move
left join {{ ref('int_abc_curves_measured') }} as abc_curves
    on
        case when cut_points.rule = 'abc_curve' then cut_points.scheme end = abc_curves.scheme
        and replaced.reference_index = abc_curves.as_of_index
        and replaced.value_population = abc_curves.population
where
    {{ reaches_tier(
        'replaced.to_value',
        'replaced.before_value',
        'replaced.before_value + replaced.to_value'
        ~ ' * cast(replaced.equal_count as decimal(9, 0))',
        'replaced.total',
        'replaced.before_count',
        '(replaced.before_count + replaced.equal_count)',
        'replaced.total_count'
    ) }}
group by replaced.account_sk, replaced.as_of_index
