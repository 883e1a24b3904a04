with accounts as (
    select * from {{ ref('exp_salesforce__members') }}
),

domains as (
    select * from {{ ref('exp_all__domains') }}
),

-- what holds for a write-back to one CRM holds for the other; this one finds companies by domain
final as (
    select
        accounts.audience,
        accounts.account_key,
        coalesce(accounts.ineligible_reason, domains.ineligible_reason) as ineligible_reason
    from accounts
    inner join domains on accounts.account_key = domains.account_key
)

select * from final
