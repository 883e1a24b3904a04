with source as (
    select * from {{ source('run', 'live_account_tiers') }}
),

renamed as (
    select
        account_key,
        as_of,
        account_name,
        relationship,
        country_code,
        industry,
        owner_id,
        final_tier,
        posture,
        is_active,
        inactive_since,
        row_hash,
        updated_at
    from source
)

select * from renamed
