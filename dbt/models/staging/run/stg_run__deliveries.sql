with source as (
    select * from {{ source('run', 'deliveries') }}
),

renamed as (
    select
        source_file,
        sha256,
        source_system,
        entity,
        profile,
        delivery_id,
        delivery_order,
        is_repeated,
        is_replaced,
        layout,
        extract_scope,
        extract_name,
        extract_rank,
        rows_read,
        rows_loaded,
        rows_rejected
    from source
)

select * from renamed
