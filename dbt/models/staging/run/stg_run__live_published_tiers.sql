with source as (
    select * from {{ source('run', 'live_published_tiers') }}
),

renamed as (
    select
        account_key,
        as_of,
        published_at,
        final_tier,
        value,
        value_tier,
        potential_tier,
        stable_tier,
        override_tier,
        posture,
        members_hash,
        rules_hash
    from source
)

select * from renamed
