with members as (
    select * from {{ ref('exp_all__members') }}
    where ineligible_reason is null
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

final as (
    select
        members.audience,
        accounts.account_key,
        accounts.account_name,
        accounts.relationship,
        accounts.final_tier,
        accounts.posture,
        accounts.website_domain,
        accounts.email_domain,
        accounts.linkedin_url,
        accounts.industry,
        accounts.city,
        accounts.region,
        accounts.country_code,
        accounts.postal_code,
        accounts.employee_count,
        accounts.crm_system,
        accounts.crm_account_id
    from members
    inner join accounts on members.account_key = accounts.account_key
)

select * from final
