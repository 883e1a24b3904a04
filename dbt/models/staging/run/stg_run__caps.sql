with source as (
    select * from {{ source('run', 'policy_caps') }}
),

renamed as (
    select
        tier,
        scope,
        max_accounts
    from source
)

select * from renamed
