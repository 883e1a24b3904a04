with source as (
    select * from {{ source('crm', 'opportunities') }}
),

versions as (
    {{ ranked_versions('source', ['opportunity_id'], version='updated_at') }}
),

renamed as (
    select
        source_system,
        opportunity_id,
        account_id,
        amount,
        currency,
        stage,
        probability,
        close_date,
        coalesce(is_closed, false) or coalesce(is_won, false) as is_closed,
        coalesce(is_won, false) as is_won,
        product_family,
        created_at,
        updated_at,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
