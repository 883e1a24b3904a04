with members as (
    select * from {{ ref('exp_all__members') }}
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

tiers as (
    select * from {{ ref('account_tiers') }}
),

relationships as (
    select distinct
        audience,
        relationship
    from {{ ref('audiences') }}
),

groups as (
    select distinct
        members.audience,
        tiers.ultimate_parent_account_key as group_key
    from members
    inner join tiers on members.account_key = tiers.account_key
    where members.ineligible_reason is null
),

-- 6sense knows a company once per country: a group stands with all its sites, of whatever tier, but
-- a customer's site does not come into a list of prospects
sites as (
    select
        groups.audience,
        tiers.account_key
    from groups
    inner join tiers on groups.group_key = tiers.ultimate_parent_account_key
    inner join relationships
        on
            groups.audience = relationships.audience
            and relationships.relationship in ('any', tiers.relationship)
    union
    select
        members.audience,
        members.account_key
    from members
),

described as (
    select
        sites.audience,
        sites.account_key,
        accounts.ineligible_reason,
        accounts.country_code,
        coalesce(accounts.website_domain, parents.website_domain) as domain,
        coalesce(accounts.email_domain, parents.email_domain) as email_domain
    from sites
    inner join accounts on sites.account_key = accounts.account_key
    inner join tiers on sites.account_key = tiers.account_key
    left join accounts as parents on tiers.ultimate_parent_account_key = parents.account_key
),

silenced as (
    select * from {{ ref('int_domains_silenced') }}
),

final as (
    select
        described.audience,
        described.account_key,
        described.domain,
        case
            when described.ineligible_reason is not null then described.ineligible_reason
            when described.domain is null then 'no_domain'
            when coalesce(silenced_websites.domain, silenced_emails.domain) is not null
                then 'suppressed'
            when described.country_code is null then 'no_country'
        end as ineligible_reason
    from described
    left join silenced as silenced_websites on described.domain = silenced_websites.domain
    left join silenced as silenced_emails on described.email_domain = silenced_emails.domain
)

select * from final
