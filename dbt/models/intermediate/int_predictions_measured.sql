with backtested as (
    select * from {{ ref('int_potentials_backtested') }}
    where potential is not null
),

populated as (
    select
        'all' as population,
        potential,
        revenue_before,
        revenue_since
    from backtested
    union all
    select
        relationship as population,
        potential,
        revenue_before,
        revenue_since
    from backtested
    union all
    select
        concat('basis_', potential_basis) as population,
        potential,
        revenue_before,
        revenue_since
    from backtested
),

predicted as (
    select
        populated.population,
        'potential' as predictor,
        populated.potential as prediction,
        populated.revenue_since
    from populated
    union all
    select
        populated.population,
        'revenue_before' as predictor,
        populated.revenue_before as prediction,
        populated.revenue_since
    from populated
),

placed as (
    select
        predicted.population,
        predicted.predictor,
        predicted.revenue_since,
        count(*) over (partition by predicted.population, predicted.predictor) as account_count,
        rank() over (
            partition by predicted.population, predicted.predictor
            order by predicted.prediction desc
        ) as prediction_place,
        count(*) over (
            partition by predicted.population, predicted.predictor, predicted.prediction
        ) as prediction_ties,
        rank() over (
            partition by predicted.population, predicted.predictor
            order by predicted.revenue_since desc
        ) as outcome_place,
        count(*) over (
            partition by predicted.population, predicted.predictor, predicted.revenue_since
        ) as outcome_ties
    from predicted
),

-- equal values have the middle of their places; twice that, less its mean, is a whole number
ranked as (
    select
        placed.population,
        placed.predictor,
        placed.account_count,
        placed.prediction_place,
        placed.prediction_ties,
        cast(
            case when placed.revenue_since > 0 then placed.revenue_since else 0 end
            as decimal(18, 4)
        ) as gain,
        {{ integer_quotient('placed.account_count + 9', '10', 'bigint') }} as top_count,
        2 * placed.prediction_place + placed.prediction_ties - placed.account_count - 2
            as prediction_rank,
        2 * placed.outcome_place + placed.outcome_ties - placed.account_count - 2 as outcome_rank
    from placed
),

-- of the accounts that share the last place of the top tenth, each counts by the part of them that
-- still fits in
split as (
    select
        ranked.*,
        ranked.prediction_place + ranked.prediction_ties - 1 <= ranked.top_count as is_within,
        ranked.prediction_place <= ranked.top_count
        and ranked.prediction_place + ranked.prediction_ties - 1 > ranked.top_count as is_at_edge
    from ranked
),

summed as (
    select
        split.population,
        split.predictor,
        max(split.account_count) as account_count,
        max(split.top_count) as top_count,
        {% for left, right, name in [
            ('prediction', 'outcome', 'co'),
            ('prediction', 'prediction', 'prediction'),
            ('outcome', 'outcome', 'outcome'),
        ] %}
            sum(
                cast(split.{{ left }}_rank as decimal(18, 0))
                * cast(split.{{ right }}_rank as decimal(19, 0))
            ) as {{ name }}_moment,
        {% endfor %}
        sum(split.gain) as total_gain,
        coalesce(sum(case when split.is_within then split.gain end), 0) as within_gain,
        coalesce(sum(case when split.is_at_edge then split.gain end), 0) as edge_gain,
        coalesce(max(case when split.is_at_edge then split.prediction_ties end), 1) as edge_ties,
        coalesce(
            max(case when split.is_at_edge then split.top_count - split.prediction_place + 1 end), 0
        ) as edge_places
    from split
    group by split.population, split.predictor
)

select
    summed.population,
    summed.predictor,
    cast(summed.account_count as bigint) as account_count,
    cast(summed.top_count as bigint) as top_count,
    cast(summed.total_gain as decimal(28, 4)) as total_gain,
    cast(summed.edge_ties as bigint) as edge_ties,
    cast(
        cast(summed.within_gain as decimal(28, 4)) * cast(summed.edge_ties as decimal(10, 0))
        + cast(summed.edge_gain as decimal(28, 4)) * cast(summed.edge_places as decimal(10, 0))
        as decimal(38, 4)
    ) as top_gain_times_ties,
    {{ ratio(
        'summed.co_moment',
        'sqrt(cast(summed.prediction_moment as double)) * sqrt(cast(summed.outcome_moment as double))'
    ) }} as rank_correlation
from summed
