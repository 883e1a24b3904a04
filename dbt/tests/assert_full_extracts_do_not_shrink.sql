{{ config(
    severity='error',
    meta={
        'remedy':
            'Deliver the named full extract whole. If so many rows are really gone, take the older extract out of '
            ~ 'the landing folder, or raise gate.max_row_count_drop in the policy for this run.',
        'dagster': {'ref': {'name': 'rejected_rows'}},
    },
) }}

-- a full extract deletes what it does not hold: an empty or half one must not do so in silence
with extracts as (
    select
        deliveries.source_system,
        deliveries.entity,
        coalesce(deliveries.layout, '') as layout,
        coalesce(deliveries.extract_scope, '') as extract_scope,
        deliveries.extract_name,
        deliveries.extract_rank,
        sum(deliveries.rows_loaded) as rows_accepted
    from {{ ref('stg_run__deliveries') }} as deliveries
    where deliveries.extract_rank <= 2
    group by
        deliveries.source_system,
        deliveries.entity,
        coalesce(deliveries.layout, ''),
        coalesce(deliveries.extract_scope, ''),
        deliveries.extract_name,
        deliveries.extract_rank
)

select
    latest.source_system,
    latest.entity,
    concat(
        latest.source_system, '/', latest.entity, ': the full extract ', latest.extract_name,
        ' holds ',
        cast(latest.rows_accepted as string), ' rows, ', earlier.extract_name, ' before it ',
        cast(earlier.rows_accepted as string)
    ) as observed
from extracts as latest
inner join extracts as earlier
    on
        latest.source_system = earlier.source_system
        and latest.entity = earlier.entity
        and latest.layout = earlier.layout
        and latest.extract_scope = earlier.extract_scope
cross join {{ ref('stg_run__parameters') }} as parameters
where
    latest.extract_rank = 1
    and earlier.extract_rank = 2
    and latest.rows_accepted < (1 - parameters.max_row_count_drop) * earlier.rows_accepted
