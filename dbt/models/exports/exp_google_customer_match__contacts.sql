with contacts as (
    {{ contacts_judged_for('google_customer_match') }}
),

-- names in lower case with their accents; country and postal code are never hashed
formed as (
    select
        contacts.audience,
        contacts.contact_key,
        contacts.google_email,
        contacts.phone,
        lower(contacts.first_name) as first_name,
        lower(contacts.last_name) as last_name,
        contacts.country_code,
        {{ tidy_text('contacts.postal_code') }} as postal_code,
        contacts.is_at_account
    from contacts
    where contacts.ineligible_reason is null
),

addressed as (
    select
        formed.*,
        formed.is_at_account
        and formed.first_name is not null
        and formed.last_name is not null
        and formed.postal_code is not null as has_address
    from formed
),

final as (
    select
        addressed.audience,
        addressed.contact_key,
        {{ sha256_hex('addressed.google_email') }} as email,
        {{ sha256_hex('addressed.phone') }} as phone,
        -- all four, or none of them is looked at
        case when addressed.has_address then {{ sha256_hex('addressed.first_name') }} end
            as first_name,
        case when addressed.has_address then {{ sha256_hex('addressed.last_name') }} end
            as last_name,
        case when addressed.has_address then addressed.country_code end as country,
        case when addressed.has_address then addressed.postal_code end as zip
    from addressed
)

select * from final
where email is not null or phone is not null or first_name is not null
