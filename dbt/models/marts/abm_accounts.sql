with tiers as (
    select * from {{ ref('account_tiers') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

domains as (
    select * from {{ ref('int_account_domains') }}
),

suppressed as (
    select * from {{ ref('int_accounts_suppressed') }}
),

described as (
    select
        tiers.account_key,
        tiers.account_name,
        accounts.crm_system,
        accounts.crm_account_id,
        tiers.final_tier,
        tiers.posture,
        tiers.relationship,
        domains.website_domain,
        domains.email_domain,
        accounts.linkedin_url,
        tiers.industry,
        accounts.city,
        accounts.region,
        tiers.country_code,
        accounts.postal_code,
        accounts.employee_count,
        suppressed.account_sk is not null as is_suppressed,
        case
            when suppressed.account_sk is not null then 'suppressed'
            when not tiers.is_active then 'inactive'
            when tiers.is_excluded then 'excluded'
            when tiers.is_placeholder then 'placeholder'
        end as ineligible_reason
    from tiers
    left join accounts on tiers.account_key = accounts.account_key
    left join domains on accounts.account_sk = domains.account_sk
    left join suppressed on accounts.account_sk = suppressed.account_sk
)

select
    described.*,
    described.ineligible_reason is null as is_eligible
from described
