with accounts as (
    select
        account_sk,
        account_key
    from {{ ref('int_accounts') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

-- the CRM's parent link speaks first, then that of the first ERP customer that has one
written as (
    select
        members.account_sk,
        1 as link_order,
        accounts.source_system,
        'accounts' as parent_entity,
        accounts.parent_account_id as parent_id,
        accounts.account_id as child_id
    from members
    inner join {{ ref('stg_crm__accounts') }} as accounts
        on
            members.source_system = accounts.source_system
            and members.source_id = accounts.account_id
    where members.match_rule = 'survivor' and accounts.parent_account_id is not null
    union all
    select
        members.account_sk,
        2 as link_order,
        customers.source_system,
        'customers' as parent_entity,
        customers.parent_customer_id as parent_id,
        customers.customer_id as child_id
    from members
    inner join {{ ref('stg_erp__customers') }} as customers
        on
            members.source_system = customers.source_system
            and members.source_id = customers.customer_id
    where members.source_entity = 'customers' and customers.parent_customer_id is not null
),

linked as (
    select
        written.account_sk,
        parents.account_sk as parent_account_sk,
        parents.account_key as parent_account_key,
        case
            when written.parent_id = written.child_id then 'self_parent'
            when parents.account_sk is null then 'orphan_parent'
        end as link_problem,
        row_number() over (
            partition by written.account_sk
            order by
                case
                    when
                        parents.account_sk is null or parents.account_sk = written.account_sk
                        then 1
                    else 0
                end,
                written.link_order,
                written.source_system,
                written.child_id
        ) as link_rank
    from written
    left join members as parents
        on
            written.source_system = parents.source_system
            and written.parent_entity = parents.source_entity
            and written.parent_id = parents.source_id
),

chosen as (
    select
        accounts.account_sk,
        accounts.account_key as node,
        case
            when linked.parent_account_sk <> accounts.account_sk then linked.parent_account_key
        end as next_node,
        linked.link_problem
    from accounts
    left join linked on accounts.account_sk = linked.account_sk and linked.link_rank = 1
),

chains as (
    {{ resolved_chains('chosen') }}
),

-- every chain has both, so that left joins say the same as inner ones, which DuckDB may reorder: it
-- takes a recursion for billions of rows and then multiplies all accounts by all accounts instead
-- (50,000 accounts: 39 GB of spill after eight minutes and no end, now under a second)
hierarchies as (
    select
        chosen.account_sk,
        parents.account_sk as parent_account_sk,
        ultimate_parents.account_sk as ultimate_parent_account_sk,
        case
            when parameters.classification_level = 'group' then ultimate_parents.account_sk
            else chosen.account_sk
        end as classified_account_sk,
        chains.chain_depth as hierarchy_depth,
        case when chains.is_cut then 'cycle' else chosen.link_problem end as link_problem
    from chains
    cross join {{ ref('stg_run__parameters') }} as parameters
    left join chosen on chains.node = chosen.node
    left join accounts as ultimate_parents on chains.root = ultimate_parents.account_key
    left join accounts as parents on chains.next_node = parents.account_key
)

select * from hierarchies
