with source as (
    select * from {{ source('run', 'policy_schemes') }}
),

renamed as (
    select
        scheme,
        criterion,
        rule,
        crossing_account,
        population,
        is_primary,
        lowest_tier
    from source
)

select * from renamed
