with accounts as (
    select * from {{ ref('abm_accounts') }}
),

domains as (
    select * from {{ ref('exp_all__domains') }}
),

-- HubSpot finds companies by domain and makes none: whichever CRM has the account
final as (
    select
        'changed_accounts' as audience,
        accounts.account_key,
        case
            when accounts.ineligible_reason is not null then accounts.ineligible_reason
            when accounts.crm_account_id is null then 'no_crm_account'
            else domains.ineligible_reason
        end as ineligible_reason
    from accounts
    inner join domains on accounts.account_key = domains.account_key
)

select * from final
