{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver the activities extract with the months of the window; until then nothing is '
            ~ 'said of the time that accounts get.',
        'dagster': {'ref': {'name': 'account_coverage'}},
    },
) }}

select
    coverage.as_of,
    concat(
        'no activity before ', cast(coverage.as_of as string), ' lies in the window; ',
        cast(count(*) as string), ' accounts are without coverage'
    ) as observed
from {{ ref('account_coverage') }} as coverage
where coverage.coverage_status = 'no_activity_data'
group by coverage.as_of
