{{ config(
    severity='error',
    meta={
        'remedy':
            'Look for the accounts that int_owner_portfolios or service_balance groups twice or '
            ~ 'not at all.',
        'dagster': {'ref': {'name': 'service_balance'}},
    },
) }}

with accounts as (
    select
        cast(count(*) as bigint) as account_count,
        coalesce(sum(coverage.planned_hours), 0) as planned_hours
    from {{ ref('account_coverage') }} as coverage
),

groupings as (
    select
        'service_balance' as mart,
        coalesce(sum(balance.account_count), 0) as account_count,
        coalesce(sum(balance.planned_hours), 0) as planned_hours
    from {{ ref('service_balance') }} as balance
    union all
    select
        'owner_capacity' as mart,
        coalesce(sum(owners.account_count), 0) as account_count,
        coalesce(sum(owners.needed_hours), 0) as planned_hours
    from {{ ref('owner_capacity') }} as owners
)

select
    groupings.mart,
    groupings.account_count,
    groupings.planned_hours,
    concat(
        groupings.mart, ' holds ', cast(groupings.account_count as string), ' accounts and ',
        cast(groupings.planned_hours as string), ' planned hours, account_coverage ',
        cast(accounts.account_count as string), ' and ', cast(accounts.planned_hours as string)
    ) as observed
from groupings
cross join accounts
where
    groupings.account_count <> accounts.account_count
    or groupings.planned_hours <> accounts.planned_hours
