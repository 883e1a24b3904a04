with source as (
    select * from {{ source('erp', 'product_costs') }}
),

versions as (
    {{ ranked_versions('source', ['product_id', 'valid_from']) }}
),

renamed as (
    select
        source_system,
        product_id,
        valid_from,
        valid_to,
        unit_cost,
        currency,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
