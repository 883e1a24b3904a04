{{ config(
    severity='error',
    meta={
        'remedy': 'Remove the folder raw/ of the output and refresh: the files are read again.',
        'dagster': {'ref': {'name': 'rejected_rows'}},
    },
) }}

with kept as (
    select
        source_file,
        entity,
        count(*) as rows_kept
    from {{ ref('rejected_rows') }}
    group by source_file, entity
)

select
    deliveries.source_file,
    concat(
        deliveries.source_file, ': ', cast(counted.rows_rejected as string), ' rows rejected, ',
        cast(coalesce(kept.rows_kept, 0) as string), ' kept'
    ) as observed
from {{ ref('stg_run__deliveries') }} as deliveries
inner join {{ ref('int_deliveries_counted') }} as counted
    on deliveries.source_file = counted.source_file and deliveries.entity = counted.entity
left join kept
    on deliveries.source_file = kept.source_file and deliveries.entity = kept.entity
where
    not deliveries.is_repeated
    and not deliveries.is_replaced
    and counted.rows_rejected <> coalesce(kept.rows_kept, 0)
