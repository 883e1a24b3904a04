{% set hours = [
    'planned_hours', 'actual_hours', 'hours_gap', 'reallocatable_hours', 'needed_hours',
] %}

with coverage as (
    select * from {{ ref('int_account_coverage') }}
)

select
    coverage.final_tier,
    coverage.coverage_status,
    coverage.as_of,
    min(coverage.tier_rank) as tier_rank,
    cast(count(*) as bigint) as account_count,
    {% for column in hours %}
        cast(sum(coverage.{{ column }}) as decimal(18, 4)) as {{ column }},
    {% endfor %}
    cast(sum(coverage.planned_touches) as decimal(18, 4)) as planned_touches,
    cast(sum(coverage.touch_count) as bigint) as actual_touches,
    cast(sum(case when coverage.is_overdue then 1 else 0 end) as bigint) as overdue_count,
    cast(sum(coverage.revenue) as decimal(18, 4)) as revenue
from coverage
group by coverage.final_tier, coverage.coverage_status, coverage.as_of
