with users as (
    select * from {{ ref('stg_crm__users') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

activities as (
    select * from {{ ref('int_owner_activities') }}
),

delivered as (
    select count(*) > 0 as has_activities
    from {{ ref('int_account_activities') }} as by_type
    where by_type.activity_count > 0
),

-- who owns an account or logs an activity may be missing from the users
named as (
    select
        users.source_system as owner_system,
        users.user_id as owner_id
    from users
    union
    select
        accounts.crm_system as owner_system,
        accounts.owner_id
    from {{ ref('int_accounts') }} as accounts
    where accounts.owner_id is not null
    union
    select
        activities.owner_system,
        activities.owner_id
    from activities
)

select
    concat(named.owner_system, ':users:', named.owner_id) as owner_key,
    named.owner_system,
    named.owner_id,
    users.user_id is not null as is_known,
    case when users.user_id is not null then coalesce(users.is_active, true) end as is_active,
    -- who has left has no hours
    case
        when users.is_active = false then cast(0 as decimal(18, 4))
        when users.available_hours_per_year >= 0
            then {{ decimal_quotient(
                'cast(users.available_hours_per_year * 10000 as bigint)'
                ~ ' * parameters.window_months', '120000'
            ) }}
    end as available_hours,
    case
        when delivered.has_activities
            then {{ decimal_quotient('coalesce(activities.minutes, 0)', '60') }}
    end as logged_hours
from named
cross join parameters
cross join delivered
left join users
    on named.owner_system = users.source_system and named.owner_id = users.user_id
left join activities
    on named.owner_system = activities.owner_system and named.owner_id = activities.owner_id
