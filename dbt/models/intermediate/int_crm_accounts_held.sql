with members as (
    select * from {{ ref('int_account_members') }}
),

crm_accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

-- an account that was merged into another one here may still be one of its own in the CRM
held as (
    select
        members.member_key as account_key,
        members.source_system
    from members
    inner join crm_accounts
        on
            members.source_system = crm_accounts.source_system
            and members.source_id = crm_accounts.account_id
    where members.source_entity = 'accounts' and not crm_accounts.is_deleted
)

select * from held
