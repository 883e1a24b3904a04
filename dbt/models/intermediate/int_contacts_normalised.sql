with contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

crm_accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'accounts'
),

hosts as (
    select * from {{ ref('stg_run__identifiers') }}
    where kind = 'host' and country_code = '' and normalised is not null
),

phones as (
    select * from {{ ref('stg_run__phones') }}
),

located as (
    select
        contacts.*,
        members.account_sk,
        members.account_key,
        coalesce(contacts.country_code, crm_accounts.country_code, '') as phone_country_code
    from contacts
    left join crm_accounts
        on
            contacts.source_system = crm_accounts.source_system
            and contacts.account_id = crm_accounts.account_id
    left join members
        on
            contacts.source_system = members.source_system
            and contacts.account_id = members.source_id
),

tidied as (
    select
        concat(located.source_system, ':', located.contact_id) as contact_key,
        located.source_system,
        located.account_sk,
        located.account_key,
        {{ tidy_text('located.first_name') }} as first_name,
        {{ tidy_text('located.last_name') }} as last_name,
        {{ tidy_text('located.job_title') }} as job_title,
        nullif(lower(trim(located.buying_role)), '') as buying_role,
        {{ email_normalised('located.email') }} as email,
        hosts.normalised as host_in_punycode,
        phones.normalised as phone,
        located.country_code,
        located.consent_email,
        located.consent_ads,
        located.opted_out
    from located
    left join phones
        on
            located.phone = phones.raw_value
            and located.phone_country_code = phones.country_code
    left join hosts on {{ host_written('located.email') }} = hosts.raw_value
),

googled as (
    select
        tidied.contact_key,
        tidied.source_system,
        tidied.account_sk,
        tidied.account_key,
        tidied.first_name,
        tidied.last_name,
        tidied.job_title,
        tidied.buying_role,
        tidied.email,
        {{ email_of_google('tidied.email') }} as google_email,
        case
            when tidied.email is not null
                then coalesce(tidied.host_in_punycode, regexp_replace(tidied.email, '^[^@]*@', ''))
        end as host,
        tidied.phone,
        tidied.country_code,
        tidied.consent_email,
        tidied.consent_ads,
        tidied.opted_out
    from tidied
),

addressed as (
    select
        googled.*,
        {{ mailbox_of('googled.google_email', 'googled.host') }} as mailbox
    from googled
),

numbers as (
    select
        phone,
        min(mailbox) as first_mailbox,
        max(mailbox) as last_mailbox
    from addressed
    where phone is not null
    group by phone
)

select
    addressed.*,
    -- without an address of its own, whoever has the number, as long as that is one person
    coalesce(
        addressed.mailbox,
        case
            when numbers.first_mailbox is null then addressed.phone
            when numbers.first_mailbox = numbers.last_mailbox then numbers.first_mailbox
        end,
        addressed.contact_key
    ) as person_key
from addressed
left join numbers on addressed.phone = numbers.phone
