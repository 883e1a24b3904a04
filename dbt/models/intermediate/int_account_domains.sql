with accounts as (
    select * from {{ ref('int_accounts') }}
),

-- a domain's normal form does not depend on the country beside which it was written
normalised as (
    select
        raw_value,
        min(normalised) as domain
    from {{ ref('stg_run__identifiers') }}
    where kind = 'domain' and normalised is not null
    group by raw_value
),

joined as (
    select
        accounts.account_sk,
        websites.domain as website_domain,
        emails.domain as email_domain
    from accounts
    left join normalised as websites on accounts.website = websites.raw_value
    left join normalised as emails on accounts.email_domain = emails.raw_value
)

select
    joined.account_sk,
    coalesce(joined.website_domain, joined.email_domain) as website_domain,
    coalesce(joined.email_domain, joined.website_domain) as email_domain
from joined
