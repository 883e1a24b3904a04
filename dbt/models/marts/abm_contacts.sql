with contacts as (
    select * from {{ ref('int_contacts_normalised') }}
),

judged as (
    select * from {{ ref('int_contacts_judged') }}
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

described as (
    select
        contacts.contact_key,
        contacts.account_key,
        accounts.final_tier,
        accounts.posture,
        accounts.relationship,
        contacts.buying_role,
        coalesce(contacts.country_code, accounts.country_code) as country_code,
        contacts.email is not null as has_email,
        contacts.phone is not null and not judged.is_phone_silenced as has_phone,
        contacts.first_name is not null and contacts.last_name is not null as has_name,
        judged.consent_email,
        judged.consent_ads,
        judged.opted_out,
        judged.suppressed_by is not null as is_suppressed,
        judged.suppressed_by,
        case
            when accounts.account_key is null then 'no_account'
            else accounts.ineligible_reason
        end as account_reason
    from contacts
    inner join judged on contacts.contact_key = judged.contact_key
    left join accounts on contacts.account_key = accounts.account_key
),

-- no answer is no consent
reasoned as (
    select
        described.*,
        {% for purpose, identifier in [
            ('email', 'described.has_email'),
            ('ads', '(described.has_email or described.has_phone or described.has_name)'),
        ] %}
        case
            when described.is_suppressed then 'suppressed'
            when described.opted_out then 'opted_out'
            when not coalesce(described.consent_{{ purpose }}, false) then 'no_consent'
            when described.account_reason is not null then described.account_reason
            when not {{ identifier }} then 'no_identifier'
        end as {{ purpose }}_ineligible_reason{{ ',' if not loop.last }}
    {% endfor %}
    from described
)

select
    reasoned.contact_key,
    reasoned.account_key,
    reasoned.final_tier,
    reasoned.posture,
    reasoned.relationship,
    reasoned.buying_role,
    reasoned.country_code,
    reasoned.has_email,
    reasoned.has_phone,
    reasoned.has_name,
    reasoned.consent_email,
    reasoned.consent_ads,
    reasoned.opted_out,
    reasoned.is_suppressed,
    reasoned.suppressed_by,
    reasoned.email_ineligible_reason is null as is_eligible_email,
    reasoned.ads_ineligible_reason is null as is_eligible_ads,
    reasoned.email_ineligible_reason,
    reasoned.ads_ineligible_reason
from reasoned
