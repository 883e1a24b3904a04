with source as (
    select * from {{ source('erp', 'exchange_rates') }}
),

versions as (
    {{ ranked_versions('source', ['rate_date', 'from_currency', 'to_currency']) }}
),

renamed as (
    select
        source_system,
        rate_date,
        from_currency,
        to_currency,
        rate,
        units,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
