{{ config(
    severity='error',
    meta={
        'remedy':
            'Compare int_activities_timed with stg_crm__activities: a join lost or doubled '
            ~ 'activities on their way to an account.',
        'dagster': {'ref': {'name': 'account_coverage'}},
    },
) }}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

delivered as (
    select count(*) as activity_count
    from {{ ref('stg_crm__activities') }} as activities
    cross join parameters
    inner join {{ ref('stg_crm__accounts') }} as accounts
        on
            activities.source_system = accounts.source_system
            and activities.account_id = accounts.account_id
    where
        activities.activity_date < {{ month_start('parameters.as_of_month_index') }}
        and activities.activity_date
        >= {{ month_start('parameters.as_of_month_index - parameters.window_months') }}
),

counted as (
    select coalesce(sum(by_type.activity_count), 0) as activity_count
    from {{ ref('int_account_activities') }} as by_type
)

select
    delivered.activity_count as delivered_count,
    counted.activity_count as counted_count,
    concat(
        cast(counted.activity_count as string), ' activities counted, ',
        cast(delivered.activity_count as string), ' delivered for known accounts in the window'
    ) as observed
from delivered
cross join counted
where delivered.activity_count <> counted.activity_count
