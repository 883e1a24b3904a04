with members as (
    select * from {{ ref('exp_all__members') }}
),

eligible as (
    select * from {{ ref('abm_contacts') }}
),

contacts as (
    select * from {{ ref('int_contacts_normalised') }}
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

tiers as (
    select * from {{ ref('account_tiers') }}
),

final as (
    select
        members.audience,
        eligible.contact_key,
        eligible.email_ineligible_reason,
        eligible.ads_ineligible_reason,
        contacts.email,
        contacts.google_email,
        case when eligible.has_phone then contacts.phone end as phone,
        contacts.first_name,
        contacts.last_name,
        contacts.job_title,
        accounts.account_name,
        eligible.country_code,
        -- an address is the company's; of a person in another country it says nothing
        coalesce(
            coalesce(contacts.country_code, accounts.country_code) = accounts.country_code, false
        ) as is_at_account,
        accounts.city,
        accounts.region,
        accounts.postal_code,
        tiers.revenue
    from members
    inner join eligible on members.account_key = eligible.account_key
    inner join contacts on eligible.contact_key = contacts.contact_key
    inner join accounts on eligible.account_key = accounts.account_key
    inner join tiers on eligible.account_key = tiers.account_key
)

select * from final
