with accounts as (
    select * from {{ ref('abm_accounts') }}
),

-- an upsert of an account that the CRM does not have would create it anew
members as (
    select
        'changed_accounts' as audience,
        accounts.account_key,
        coalesce(
            accounts.ineligible_reason,
            case when accounts.crm_account_id is null then 'no_crm_account' end
        ) as ineligible_reason
    from accounts
)

select * from members
