{% set spent = 'measured.minutes * 10000' %}
{% set planned = 'measured.planned_minute_hundredths' %}

with described as (
    select * from {{ ref('int_account_tiers_described') }}
),

plans as (
    select * from {{ ref('int_account_service_plans') }}
),

activities as (
    select
        by_type.account_sk,
        sum(by_type.activity_count) as activity_count,
        sum(by_type.touch_count) as touch_count,
        sum(by_type.two_way_count) as two_way_count,
        sum(by_type.minutes) as minutes,
        max(by_type.last_activity_date) as last_activity_date,
        max(by_type.last_touch_date) as last_touch_date
    from {{ ref('int_account_activities') }} as by_type
    group by by_type.account_sk
),

-- a CRM that delivers no activity says nothing of the time that accounts get
delivered as (
    select coalesce(sum(activities.activity_count), 0) > 0 as has_activities
    from activities
),

measured as (
    select
        plans.*,
        described.as_of,
        described.crm_system as owner_system,
        described.owner_id,
        described.final_tier,
        described.relationship,
        described.created_date,
        described.revenue,
        delivered.has_activities,
        activities.last_activity_date,
        activities.last_touch_date,
        {% for column in ['activity_count', 'touch_count', 'two_way_count', 'minutes'] %}
            case
                when delivered.has_activities
                    then cast(coalesce(activities.{{ column }}, 0) as bigint)
            end as {{ column }},
        {% endfor %}
        {{ days_between('activities.last_touch_date', 'described.as_of') }}
            as days_since_last_touch,
        {{ days_between('described.created_date', 'described.as_of') }} as days_since_created
    from plans
    inner join described on plans.account_sk = described.account_sk
    cross join delivered
    left join activities on plans.account_sk = activities.account_sk
),

judged as (
    select
        measured.*,
        {{ decimal_quotient('measured.minutes', '60') }} as actual_hours,
        case
            when not measured.has_activities then 'no_activity_data'
            when measured.plan_tier is null then 'no_plan'
            when {{ spent }} < {{ planned }} * (100 - measured.tolerance_percent)
                then 'under_served'
            when {{ spent }} > {{ planned }} * (100 + measured.tolerance_percent)
                then 'over_served'
            else 'on_plan'
        end as coverage_status,
        case
            when measured.has_activities and measured.cadence_days is not null
                then coalesce(
                    coalesce(measured.days_since_last_touch, measured.days_since_created)
                    > measured.cadence_days,
                    true
                )
        end as is_overdue
    from measured
)

select
    judged.*,
    cast(judged.actual_hours - judged.planned_hours as decimal(18, 4)) as hours_gap,
    cast(
        cast(judged.touch_count as decimal(18, 4)) - judged.planned_touches as decimal(18, 4)
    ) as touches_gap,
    cast(
        case
            when not judged.has_activities then null
            when judged.coverage_status = 'over_served' and judged.tier_rank > 1
                then judged.actual_hours - judged.planned_hours
            else 0
        end as decimal(18, 4)
    ) as reallocatable_hours,
    cast(
        case
            when not judged.has_activities then null
            when judged.coverage_status = 'under_served'
                then judged.planned_hours - judged.actual_hours
            else 0
        end as decimal(18, 4)
    ) as needed_hours
from judged
