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
),

googled as (
    select
        tidied.*,
        {{ email_of_google('tidied.email') }} as google_email
    from tidied
)

select
    googled.*,
    -- both names of Google's mail lead to one mailbox
    coalesce(
        regexp_replace(googled.google_email, '@googlemail[.]com$', '@gmail.com'),
        googled.contact_key
    ) as person_key
from googled
