{{ config(materialized='view') }}

with activities as (
    select * from {{ ref('stg_crm__activities') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

durations as (
    select * from {{ ref('activity_durations') }}
),

directions as (
    select * from {{ ref('activity_directions') }}
),

worded as (
    select
        activities.source_system,
        activities.activity_id,
        activities.account_id,
        activities.owner_id,
        activities.activity_date,
        activities.duration_minutes,
        coalesce(activities.activity_type, 'other') as activity_type,
        coalesce(nullif(lower(trim(activities.direction)), ''), 'none') as direction
    from activities
)

select
    worded.source_system,
    worded.activity_id,
    members.account_sk,
    worded.owner_id,
    worded.activity_type,
    worded.direction,
    worded.activity_date,
    worded.activity_date >= {{ month_start(
        'parameters.as_of_month_index - parameters.window_months'
    ) }} as is_in_window,
    -- 0 minutes is what a CRM writes where nobody filled the field
    case
        when worded.duration_minutes > 0 then cast(worded.duration_minutes as bigint)
        else cast(coalesce(durations.default_minutes, 0) as bigint)
    end as minutes,
    coalesce(
        directions.is_ours or (directions.is_theirs and durations.is_two_way), false
    ) as is_touch,
    coalesce(
        directions.is_theirs or (directions.is_ours and durations.is_two_way), false
    ) as is_two_way
from worded
cross join parameters
left join members
    on
        worded.source_system = members.source_system
        and worded.account_id = members.source_id
        and members.source_entity = 'accounts'
left join durations on worded.activity_type = durations.activity_type
left join directions on worded.direction = directions.direction
where worded.activity_date < {{ month_start('parameters.as_of_month_index') }}
