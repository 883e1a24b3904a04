{% set counted = 'case when timed.is_in_window then 1 else 0 end' %}

with timed as (
    select * from {{ ref('int_activities_timed') }}
)

select
    timed.account_sk,
    timed.activity_type,
    cast(sum({{ counted }}) as bigint) as activity_count,
    cast(sum(case when timed.is_touch then {{ counted }} else 0 end) as bigint) as touch_count,
    cast(sum(case when timed.is_two_way then {{ counted }} else 0 end) as bigint) as two_way_count,
    cast(sum(timed.minutes * {{ counted }}) as bigint) as minutes,
    max(timed.activity_date) as last_activity_date,
    max(case when timed.is_touch then timed.activity_date end) as last_touch_date
from timed
where timed.account_sk is not null
group by timed.account_sk, timed.activity_type
