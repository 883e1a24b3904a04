with members as (
    select * from {{ ref('exp_demandbase__members') }}
    where ineligible_reason is null
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

final as (
    select
        members.audience,
        members.account_key,
        accounts.account_name,
        accounts.website_domain as account_domain,
        -- the CRM's own id, by which Demandbase knows an account that it has from there
        coalesce(accounts.crm_account_id, members.account_key) as external_account_id,
        accounts.industry,
        accounts.employee_count as employees,
        accounts.final_tier,
        accounts.posture
    from members
    inner join accounts on members.account_key = accounts.account_key
)

select * from final
