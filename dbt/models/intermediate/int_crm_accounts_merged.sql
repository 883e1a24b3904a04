with accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

merge_links as (
    select
        concat(accounts.source_system, ':', accounts.account_id) as node,
        case
            when survivors.account_id <> accounts.account_id
                then concat(survivors.source_system, ':', survivors.account_id)
        end as next_node
    from accounts
    left join accounts as survivors
        on
            accounts.source_system = survivors.source_system
            and accounts.merged_into_id = survivors.account_id
),

chains as (
    {{ resolved_chains('merge_links') }}
),

-- left joins, which are not reordered, where inner ones say the same: see int_account_hierarchies
merged as (
    select
        accounts.source_system,
        accounts.account_id,
        survivors.source_system as survivor_system,
        survivors.account_id as survivor_id,
        chains.is_cut
    from chains
    left join accounts on chains.node = concat(accounts.source_system, ':', accounts.account_id)
    left join accounts as survivors
        on chains.root = concat(survivors.source_system, ':', survivors.account_id)
)

select * from merged
