with changes as (
    select * from {{ ref('account_changes') }}
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

-- an upsert of an account that the CRM no longer has would create it anew
members as (
    select
        'changed_accounts' as audience,
        changes.account_key,
        case
            when changes.change_type = 'removed' then 'removed'
            when accounts.ineligible_reason is not null then accounts.ineligible_reason
            when accounts.crm_account_id is null then 'no_crm_account'
        end as ineligible_reason
    from changes
    inner join accounts on changes.account_key = accounts.account_key
)

select * from members
