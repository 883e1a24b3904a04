with accounts as (
    select * from {{ ref('abm_accounts') }}
),

tiers as (
    select * from {{ ref('account_tiers') }}
),

-- who is matched by domain alone is reached by any account of that domain
silenced as (
    select * from {{ ref('int_domains_silenced') }}
),

-- of several accounts of one domain the largest keeps it, before all one that the CRM has
ranked as (
    select
        accounts.account_key,
        row_number() over (
            partition by accounts.website_domain
            order by
                case when accounts.crm_account_id is null then 1 else 0 end,
                tiers.revenue desc nulls last,
                tiers.potential desc nulls last,
                accounts.account_key
        ) as domain_place
    from accounts
    inner join tiers on accounts.account_key = tiers.account_key
    where accounts.is_eligible and accounts.website_domain is not null
),

final as (
    select
        accounts.account_key,
        accounts.website_domain as domain,
        case
            when accounts.ineligible_reason is not null then accounts.ineligible_reason
            when accounts.website_domain is null then 'no_domain'
            when coalesce(silenced_websites.domain, silenced_emails.domain) is not null
                then 'suppressed'
            when ranked.domain_place > 1 then 'shared_domain'
        end as ineligible_reason
    from accounts
    left join silenced as silenced_websites on accounts.website_domain = silenced_websites.domain
    left join silenced as silenced_emails on accounts.email_domain = silenced_emails.domain
    left join ranked on accounts.account_key = ranked.account_key
)

select * from final
