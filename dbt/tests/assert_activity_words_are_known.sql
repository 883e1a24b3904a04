{{ config(
    severity='warn',
    meta={
        'remedy':
            'Add the direction to activity_directions.csv, or the type to activity_durations.csv; '
            ~ 'until then these activities are no touch, or without a default duration.',
        'dagster': {'ref': {'name': 'account_coverage'}},
    },
) }}

select
    timed.activity_type,
    timed.direction,
    concat(
        cast(count(*) as string), ' activities of type ', timed.activity_type, ' and direction ',
        timed.direction
    ) as observed
from {{ ref('int_activities_timed') }} as timed
left join {{ ref('activity_durations') }} as durations
    on timed.activity_type = durations.activity_type
left join {{ ref('activity_directions') }} as directions
    on timed.direction = directions.direction
where durations.activity_type is null or directions.direction is null
group by timed.activity_type, timed.direction
