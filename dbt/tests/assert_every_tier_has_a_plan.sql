{{ config(
    severity='warn',
    meta={
        'remedy': 'Add a row for the tier to service_model.csv, with relationship any.',
        'dagster': {'ref': {'name': 'account_coverage'}},
    },
) }}

select
    coverage.final_tier,
    concat(
        cast(count(*) as string), ' accounts of tier ', coverage.final_tier, ' have no plan'
    ) as observed
from {{ ref('account_coverage') }} as coverage
where coverage.planned_hours is null
group by coverage.final_tier
