{{ config(
    severity='error',
    meta={
        'remedy':
            'Mend the extract (rejected_rows says file, line and value), or raise '
            ~ 'gate.max_rejected_share in the policy.',
        'dagster': {'ref': {'name': 'rejected_rows'}},
    },
) }}

with extracts as (
    select
        deliveries.source_system,
        deliveries.entity,
        sum(deliveries.rows_read) as rows_read,
        sum(deliveries.rows_rejected) as rows_rejected
    from {{ ref('int_deliveries_counted') }} as deliveries
    group by deliveries.source_system, deliveries.entity
)

select
    extracts.source_system,
    extracts.entity,
    concat(
        extracts.source_system,
        '/',
        extracts.entity,
        ': ',
        cast(extracts.rows_rejected as string),
        ' of ',
        cast(extracts.rows_read as string), ' rows rejected, at most ',
        cast(parameters.max_rejected_share as string), ' of them may be'
    ) as observed
from extracts
cross join {{ ref('stg_run__parameters') }} as parameters
where extracts.rows_rejected > parameters.max_rejected_share * extracts.rows_read
