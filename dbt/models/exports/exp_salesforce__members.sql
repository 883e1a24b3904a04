with accounts as (
    select * from {{ ref('abm_accounts') }}
),

systems as (
    select * from {{ ref('exp_salesforce__systems') }}
),

-- an upsert of an account that Salesforce does not have would create it anew
members as (
    select
        'changed_accounts' as audience,
        accounts.account_key,
        case
            when accounts.ineligible_reason is not null then accounts.ineligible_reason
            when accounts.crm_account_id is null then 'no_crm_account'
            when systems.crm_system is null then 'other_crm'
        end as ineligible_reason
    from accounts
    left join systems on accounts.crm_system = systems.crm_system
)

select * from members
