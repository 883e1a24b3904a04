{% set top_share = (
    'predictions.top_gain_times_ties',
    'cast(predictions.total_gain as double) * cast(predictions.edge_ties as double)',
) %}
{% set baseline_part = (
    'cast(baselines.top_gain_times_ties as double) * cast(predictions.edge_ties as double)'
) %}

with metrics as (
    select * from {{ ref('backtest_metrics') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

backtested as (
    select * from {{ ref('int_potentials_backtested') }}
),

measured as (
    select * from {{ ref('int_predictions_measured') }}
),

covered as (
    select
        populated.population,
        count(*) as account_count,
        sum(populated.gain) as total_gain,
        sum(case when populated.potential is not null then populated.gain end) as covered_gain
    from (
        {% for population in ["'all'", 'backtested.relationship'] %}
            select
                {{ population }} as population,
                backtested.potential,
                case when backtested.revenue_since > 0 then backtested.revenue_since else 0 end
                    as gain
            from backtested
            {% if not loop.last %}union all{% endif %}
        {% endfor %}
    ) as populated
    group by populated.population
),

figures as (
    select
        predictions.population,
        predictions.account_count,
        predictions.rank_correlation,
        baselines.rank_correlation as rank_correlation_last_year,
        {{ ratio(top_share[0], top_share[1]) }} as top_decile_share,
        {{ ratio(
            'cast(' ~ top_share[0] ~ ' as double) * cast(predictions.account_count as double)',
            top_share[1] ~ ' * cast(predictions.top_count as double)'
        ) }} as lift_over_random,
        {{ ratio(
            'cast(' ~ top_share[0] ~ ' as double) * cast(baselines.edge_ties as double)',
            baseline_part
        ) }} as lift_over_last_year
    from measured as predictions
    inner join measured as baselines
        on
            predictions.population = baselines.population
            and baselines.predictor = 'revenue_before'
    where predictions.predictor = 'potential'
),

judged as (
    select
        metrics.metric,
        metrics.population,
        case metrics.metric
            {% for metric in [
                'rank_correlation', 'rank_correlation_last_year', 'top_decile_share',
                'lift_over_random', 'lift_over_last_year',
            ] %}
                when '{{ metric }}' then figures.{{ metric }}
            {% endfor %}
            when 'covered_revenue_share'
                then {{ ratio('coalesce(covered.covered_gain, 0)', 'covered.total_gain') }}
        end as figure,
        case metrics.metric
            when 'covered_revenue_share' then covered.account_count
            else figures.account_count
        end as account_count,
        metrics.minimum,
        metrics.min_accounts,
        metrics.description
    from metrics
    left join figures on metrics.population = figures.population
    left join covered on metrics.population = covered.population
)

select
    judged.metric,
    judged.population,
    judged.figure,
    cast(coalesce(judged.account_count, 0) as bigint) as account_count,
    cast(judged.minimum as decimal(9, 6)) as minimum,
    judged.min_accounts,
    -- six accounts agree by chance: too few are neither a yes nor a no
    case
        when judged.account_count >= coalesce(judged.min_accounts, 0)
            then judged.figure >= cast(judged.minimum as double)
    end as is_met,
    parameters.as_of,
    {{ month_start('parameters.as_of_month_index - parameters.window_months') }} as potential_as_of,
    judged.description
from judged
cross join parameters
