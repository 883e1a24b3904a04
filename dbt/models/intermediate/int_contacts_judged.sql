with contacts as (
    select * from {{ ref('int_contacts_normalised') }}
),

suppressions as (
    select * from {{ ref('stg_governance__suppressions') }}
),

accounts as (
    select * from {{ ref('int_accounts_suppressed') }}
),

suppressed_addresses as (
    select {{ email_normalised('email') }} as email from suppressions
),

suppressed_people as (
    select distinct
        regexp_replace(
            {{ email_of_google('email') }}, '@googlemail[.]com$', '@gmail.com'
        ) as person_key
    from suppressed_addresses
    where email is not null
),

suppressed_hashes as (
    select distinct lower(trim(email_sha256)) as email_sha256 from suppressions
    where email_sha256 is not null
),

suppressed_hosts as (
    select distinct {{ host_of('domain') }} as host
    from suppressions
    where domain is not null
),

suppressed_domains as (
    {{ domains_silenced_by('suppressed_hosts') }}
),

-- whoever hashed an address did it as it is, or as Google has it
hashed_addresses as (
    select
        contact_key,
        {{ sha256_hex('email') }} as email_sha256
    from contacts
    where email is not null
    union all
    select
        contact_key,
        {{ sha256_hex('google_email') }} as email_sha256
    from contacts
    where google_email is not null
    union all
    select
        contact_key,
        {{ sha256_hex('person_key') }} as email_sha256
    from contacts
    where email is not null
),

hosts as (
    select
        contact_key,
        regexp_replace(email, '^.*@', '') as host
    from contacts
    where email is not null
),

-- and shop.example.com silences whoever writes from mail.shop.example.com
parent_hosts as (
    select
        contact_key,
        regexp_replace(host, '^[^.]*[.]', '') as host
    from hosts
    union all
    select
        contact_key,
        regexp_replace(host, '^[^.]*[.][^.]*[.]', '') as host
    from hosts
),

ways as (
    select
        contacts.contact_key,
        1 as way
    from contacts
    inner join suppressed_people on contacts.person_key = suppressed_people.person_key
    union all
    select
        hashed_addresses.contact_key,
        2 as way
    from hashed_addresses
    inner join suppressed_hashes on hashed_addresses.email_sha256 = suppressed_hashes.email_sha256
    union all
    select
        hosts.contact_key,
        3 as way
    from hosts
    inner join suppressed_domains on hosts.host = suppressed_domains.domain
    union all
    select
        parent_hosts.contact_key,
        3 as way
    from parent_hosts
    inner join suppressed_hosts on parent_hosts.host = suppressed_hosts.host
    union all
    select
        contacts.contact_key,
        case accounts.suppressed_by when 'domain' then 3 else 4 end as way
    from contacts
    inner join accounts on contacts.account_sk = accounts.account_sk
),

found as (
    select
        contact_key,
        min(way) as way
    from ways
    group by contact_key
),

-- one person, several contacts: what silences one of them silences all
people as (
    select
        contacts.contact_key,
        contacts.consent_email,
        contacts.consent_ads,
        min(found.way) over (partition by contacts.person_key) as way,
        max(case when contacts.opted_out then 1 else 0 end)
            over (partition by contacts.person_key) as opted_out,
        max(case when not contacts.consent_email then 1 else 0 end)
            over (partition by contacts.person_key) as refused_email,
        max(case when not contacts.consent_ads then 1 else 0 end)
            over (partition by contacts.person_key) as refused_ads
    from contacts
    left join found on contacts.contact_key = found.contact_key
)

select
    people.contact_key,
    case people.way
        when 1 then 'email' when 2 then 'email_sha256' when 3 then 'domain' when 4 then 'account'
    end as suppressed_by,
    people.opted_out = 1 as opted_out,
    case when people.refused_email = 1 then false else people.consent_email end as consent_email,
    case when people.refused_ads = 1 then false else people.consent_ads end as consent_ads
from people
