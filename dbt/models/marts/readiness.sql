select
    criteria.criterion,
    criteria.criterion_order,
    parameters.as_of,
    measured.figure,
    cast(criteria.threshold as double) as threshold,
    criteria.direction,
    criteria.unit,
    case
        when measured.figure is not null
            then {{ is_beyond(
                'measured.figure', 'criteria.direction', 'cast(criteria.threshold as double)'
            ) }}
    end as is_met,
    criteria.description_en,
    criteria.description_fr
from {{ ref('readiness_criteria') }} as criteria
cross join {{ ref('stg_run__parameters') }} as parameters
left join {{ ref('int_readiness_measured') }} as measured
    on criteria.criterion = measured.criterion
