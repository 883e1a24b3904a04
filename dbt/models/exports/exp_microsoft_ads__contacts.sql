with contacts as (
    {{ contacts_judged_for('microsoft_ads') }}
),

final as (
    select
        contacts.audience,
        contacts.contact_key,
        {{ sha256_hex('contacts.email') }} as text
    from contacts
    where
        contacts.ineligible_reason is null
        and contacts.email is not null
)

select * from final
