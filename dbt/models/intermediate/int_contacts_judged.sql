with contacts as (
    select * from {{ ref('int_contacts_normalised') }}
),

suppressions as (
    select * from {{ ref('int_suppressions_normalised') }}
),

accounts as (
    select * from {{ ref('int_accounts_suppressed') }}
),

suppressed_people as (
    select distinct mailbox as person_key from suppressions
    where mailbox is not null
),

suppressed_hashes as (
    select distinct email_sha256 from suppressions
    where email_sha256 is not null
),

suppressed_hosts as (
    select distinct host from suppressions
    where host is not null
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
        {{ sha256_hex('mailbox') }} as email_sha256
    from contacts
    where mailbox is not null
),

hosts as (
    select distinct host from contacts
    where host is not null
),

hosts_and_parents as (
    select
        host,
        {{ host_and_parents('host') }} as silencing_host
    from hosts
),

-- shop.example.com silences whoever writes from mail.shop.example.com, and nobody at example.com
silenced_hosts as (
    select distinct hosts_and_parents.host
    from hosts_and_parents
    inner join suppressed_hosts on hosts_and_parents.silencing_host = suppressed_hosts.host
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
        contacts.contact_key,
        3 as way
    from contacts
    inner join silenced_hosts on contacts.host = silenced_hosts.host
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
        contacts.phone,
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
),

-- a number that colleagues share stays out of their rows, too, while one of them is out
silenced_phones as (
    select distinct phone
    from people
    where phone is not null and (way is not null or opted_out = 1 or refused_ads = 1)
)

select
    people.contact_key,
    case people.way
        when 1 then 'email' when 2 then 'email_sha256' when 3 then 'domain' when 4 then 'account'
    end as suppressed_by,
    people.opted_out = 1 as opted_out,
    case when people.refused_email = 1 then false else people.consent_email end as consent_email,
    case when people.refused_ads = 1 then false else people.consent_ads end as consent_ads,
    silenced_phones.phone is not null as is_phone_silenced
from people
left join silenced_phones on people.phone = silenced_phones.phone
