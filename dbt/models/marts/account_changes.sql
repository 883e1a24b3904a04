with tiers as (
    select * from {{ ref('account_tiers') }}
),

live as (
    select * from {{ ref('stg_run__live_account_tiers') }}
),

-- an account that leaves the extracts keeps a row in account_tiers: its first one tells that it was
-- removed
compared as (
    select
        tiers.account_key,
        case
            when live.account_key is null then 'added'
            when tiers.inactive_since is not null and live.inactive_since is null then 'removed'
            else 'changed'
        end as change_type,
        tiers.account_name,
        tiers.final_tier,
        live.final_tier as previous_release_tier,
        tiers.row_hash,
        live.row_hash as previous_row_hash,
        tiers.updated_at
    from tiers
    left join live on tiers.account_key = live.account_key
    where live.row_hash is null or tiers.row_hash <> live.row_hash
)

select * from compared
