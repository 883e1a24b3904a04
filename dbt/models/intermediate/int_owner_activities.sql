with timed as (
    select * from {{ ref('int_activities_timed') }}
)

select
    timed.source_system as owner_system,
    timed.owner_id,
    cast(count(*) as bigint) as activity_count,
    cast(sum(timed.minutes) as bigint) as minutes
from timed
where timed.is_in_window and timed.account_sk is not null and timed.owner_id is not null
group by timed.source_system, timed.owner_id
