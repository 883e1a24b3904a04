with source as (
    select * from {{ source('erp', 'products') }}
),

versions as (
    {{ ranked_versions('source', ['product_id']) }}
),

renamed as (
    select
        source_system,
        product_id,
        product_name,
        product_family,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
