with merged as (
    select * from {{ ref('int_crm_accounts_merged') }}
),

customers as (
    select * from {{ ref('stg_erp__customers') }}
),

matches as (
    select * from {{ ref('int_identity_matches') }}
    where is_accepted
),

invoiced as (
    select distinct
        source_system,
        customer_id
    from {{ ref('int_customer_currency_months') }}
),

placeholders as (
    select
        invoiced.source_system,
        invoiced.customer_id
    from invoiced
    left join customers
        on
            invoiced.source_system = customers.source_system
            and invoiced.customer_id = customers.customer_id
    where customers.customer_id is null
),

members as (
    select
        concat(merged.survivor_system, ':accounts:', merged.survivor_id) as account_key,
        merged.source_system,
        'accounts' as source_entity,
        merged.account_id as source_id,
        case
            when
                merged.source_system = merged.survivor_system
                and merged.account_id = merged.survivor_id
                then 'survivor'
            else 'merged'
        end as match_rule
    from merged
    union all
    select
        coalesce(
            matches.crm_system || ':accounts:' || matches.crm_account_id,
            concat(customers.source_system, ':customers:', customers.customer_id)
        ) as account_key,
        customers.source_system,
        'customers' as source_entity,
        customers.customer_id as source_id,
        coalesce(matches.match_rule, 'unmatched') as match_rule
    from customers
    left join matches
        on
            customers.source_system = matches.erp_system
            and customers.customer_id = matches.erp_customer_id
    union all
    select
        concat(placeholders.source_system, ':customers:', placeholders.customer_id) as account_key,
        placeholders.source_system,
        'customers' as source_entity,
        placeholders.customer_id as source_id,
        'placeholder' as match_rule
    from placeholders
),

numbered as (
    select
        {{ surrogate_key('members.account_key') }} as account_sk,
        members.account_key,
        members.source_system,
        members.source_entity,
        members.source_id,
        concat(members.source_system, ':', members.source_entity, ':', members.source_id)
            as member_key,
        members.match_rule,
        rules.confidence as match_confidence
    from members
    inner join {{ ref('identity_rules') }} as rules on members.match_rule = rules.rule
)

select * from numbered
