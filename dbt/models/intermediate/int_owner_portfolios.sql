{% set hours = ['planned_hours', 'actual_hours', 'reallocatable_hours'] %}

with coverage as (
    select
        coverage.*,
        case
            when coverage.owner_id is null then 'unowned'
            else concat(coverage.owner_system, ':users:', coverage.owner_id)
        end as owner_key,
        coverage.final_tier = parameters.best_tier as is_best,
        coverage.final_tier = parameters.lowest_tier as is_lowest
    from {{ ref('int_account_coverage') }} as coverage
    cross join {{ ref('stg_run__parameters') }} as parameters
),

tier_counts as (
    select
        coverage.owner_key,
        coverage.final_tier,
        min(coverage.tier_rank) as tier_rank,
        count(*) as account_count
    from coverage
    group by coverage.owner_key, coverage.final_tier
),

worded as (
    select
        tier_counts.owner_key,
        tier_counts.tier_rank,
        concat(tier_counts.final_tier, ' ', cast(tier_counts.account_count as string)) as words
    from tier_counts
),

tier_lists as (
    select
        worded.owner_key,
        {{ dbt.listagg('worded.words', "', '", 'order by worded.tier_rank') }} as accounts_by_tier
    from worded
    group by worded.owner_key
),

summed as (
    select
        coverage.owner_key,
        cast(count(*) as bigint) as account_count,
        {% for column, condition in [
            ('best_tier_account_count', 'coverage.is_best'),
            ('lowest_tier_account_count', 'coverage.is_lowest'),
            ('under_served_count', "coverage.coverage_status = 'under_served'"),
            ('over_served_count', "coverage.coverage_status = 'over_served'"),
            ('overdue_count', 'coverage.is_overdue'),
        ] %}
            cast(sum(case when {{ condition }} then 1 else 0 end) as bigint) as {{ column }},
        {% endfor %}
        {% for column in hours %}
            cast(sum(coverage.{{ column }}) as decimal(18, 4)) as {{ column }},
        {% endfor %}
        cast(
            sum(case when coverage.is_best then coverage.planned_hours end) as decimal(18, 4)
        ) as best_tier_planned_hours
    from coverage
    group by coverage.owner_key
)

select
    summed.owner_key,
    tier_lists.accounts_by_tier,
    summed.account_count,
    summed.best_tier_account_count,
    summed.lowest_tier_account_count,
    summed.under_served_count,
    summed.over_served_count,
    summed.overdue_count,
    coalesce(summed.planned_hours, 0) as needed_hours,
    coalesce(summed.best_tier_planned_hours, 0) as best_tier_needed_hours,
    summed.actual_hours as account_hours,
    summed.reallocatable_hours
from summed
inner join tier_lists on summed.owner_key = tier_lists.owner_key
