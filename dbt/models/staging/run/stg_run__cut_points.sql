with source as (
    select * from {{ source('run', 'policy_cut_points') }}
),

renamed as (
    select
        scheme,
        tier,
        tier_rank,
        rule,
        cut_millionths,
        cut_value,
        crossing_account
    from source
)

select * from renamed
