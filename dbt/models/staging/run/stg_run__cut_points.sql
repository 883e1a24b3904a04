with source as (
    select * from {{ source('run', 'policy_cut_points') }}
),

renamed as (
    select
        scheme,
        tier,
        tier_rank,
        cut_millionths,
        crossing_account
    from source
)

select * from renamed
