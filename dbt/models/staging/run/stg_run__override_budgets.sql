with source as (
    select * from {{ source('run', 'override_budgets') }}
),

renamed as (
    select
        tier,
        max_share
    from source
)

select * from renamed
