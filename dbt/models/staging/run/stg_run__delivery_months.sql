with source as (
    select * from {{ source('run', 'delivery_months') }}
),

renamed as (
    select
        delivery_id,
        month_index,
        line_count
    from source
)

select * from renamed
