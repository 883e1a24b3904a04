with accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

customers as (
    select * from {{ ref('stg_erp__customers') }}
),

links as (
    select * from {{ ref('stg_governance__identity_links') }}
),

account_names as (
    select
        account_id as reference,
        source_system,
        account_id
    from accounts
    where (select count(distinct systems.source_system) from accounts as systems) = 1
    union all
    select
        concat(source_system, ':', account_id) as reference,
        source_system,
        account_id
    from accounts
),

customer_names as (
    select
        customer_id as reference,
        source_system,
        customer_id
    from customers
    where (select count(distinct systems.source_system) from customers as systems) = 1
    union all
    select
        concat(source_system, ':', customer_id) as reference,
        source_system,
        customer_id
    from customers
),

written as (
    select
        'cross_reference' as rule,
        'same' as decision,
        'crm' as written_in,
        concat(accounts.source_system, ':', accounts.account_id) as account_reference,
        accounts.erp_customer_id as customer_reference
    from accounts
    where accounts.erp_customer_id is not null
    union all
    select
        'cross_reference' as rule,
        'same' as decision,
        'erp' as written_in,
        customers.crm_account_id as account_reference,
        concat(customers.source_system, ':', customers.customer_id) as customer_reference
    from customers
    where customers.crm_account_id is not null
    union all
    select
        'governance' as rule,
        links.decision,
        'governance' as written_in,
        links.crm_account_id as account_reference,
        links.erp_customer_id as customer_reference
    from links
),

resolved as (
    select
        written.rule,
        written.decision,
        written.written_in,
        written.account_reference,
        written.customer_reference,
        account_names.source_system as crm_system,
        account_names.account_id as crm_account_id,
        customer_names.source_system as erp_system,
        customer_names.customer_id as erp_customer_id
    from written
    left join account_names on written.account_reference = account_names.reference
    left join customer_names on written.customer_reference = customer_names.reference
)

select * from resolved
