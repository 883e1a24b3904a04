with source as (
    select * from {{ source('erp', 'account_costs') }}
),

versions as (
    {{ ranked_versions('source', [
        'customer_id',
        'cost_date',
        'cost_type',
        'amount',
        'currency',
    ]) }}
),

renamed as (
    select
        source_system,
        customer_id,
        cost_date,
        cost_type,
        amount,
        currency,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
