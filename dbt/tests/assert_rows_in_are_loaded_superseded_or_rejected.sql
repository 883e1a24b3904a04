{{ config(
    severity='error',
    meta={
        'remedy':
            'Rows were lost or doubled between the raw zone and staging: compare '
            ~ 'stg_<system>__<entity> of this delivery with its raw Parquet file.',
        'dagster': {'ref': {'name': 'rejected_rows'}},
    },
) }}

select
    deliveries.source_file,
    concat(
        deliveries.source_file, ' (', deliveries.entity, '): ',
        cast(deliveries.rows_read as string), ' rows read, ',
        coalesce(cast(counted.rows_loaded as string), 'none'), ' loaded, ',
        coalesce(cast(counted.rows_superseded as string), 'none'), ' superseded, ',
        coalesce(cast(counted.rows_rejected as string), 'none'), ' rejected'
    ) as observed
from {{ ref('stg_run__deliveries') }} as deliveries
left join {{ ref('int_deliveries_counted') }} as counted
    on deliveries.source_file = counted.source_file and deliveries.entity = counted.entity
where
    counted.source_file is null
    or deliveries.rows_read <> counted.rows_loaded + counted.rows_superseded + counted.rows_rejected
