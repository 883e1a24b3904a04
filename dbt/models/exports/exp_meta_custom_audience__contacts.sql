with contacts as (
    {{ contacts_judged_for('meta_custom_audience') }}
),

-- Meta hashes cities and states of the alphabet a to z alike on both sides, and no others
formed as (
    select
        contacts.audience,
        contacts.contact_key,
        contacts.email,
        replace(contacts.phone, '+', '') as phone,
        {{ letters_only('contacts.first_name') }} as fn,
        {{ letters_only('contacts.last_name') }} as ln,
        {% for column in ['city', 'region'] %}
            case
                when
                    contacts.is_at_account
                    and {{ letters_only('contacts.' ~ column) }}
                    = {{ replace_matches('lower(contacts.' ~ column ~ ')', '[^a-z]+') }}
                    then {{ letters_only('contacts.' ~ column) }}
            end as {{ column }},
        {% endfor %}
        case
            when contacts.is_at_account and contacts.country_code = 'US'
                then substring({{ letters_only('contacts.postal_code') }}, 1, 5)
            when contacts.is_at_account
                then {{ letters_only('contacts.postal_code') }}
        end as zip,
        lower(contacts.country_code) as country,
        cast(
            case when contacts.revenue > 0 then contacts.revenue else 0 end as decimal(18, 2)
        ) as customer_value
    from contacts
    where contacts.ineligible_reason is null
),

final as (
    select
        formed.audience,
        formed.contact_key,
        {{ sha256_hex('formed.email') }} as email,
        {{ sha256_hex('formed.phone') }} as phone,
        {{ sha256_hex('formed.fn') }} as fn,
        {{ sha256_hex('formed.ln') }} as ln,
        {{ sha256_hex('formed.city') }} as ct,
        {{ sha256_hex('formed.region') }} as st,
        {{ sha256_hex('formed.zip') }} as zip,
        {{ sha256_hex('formed.country') }} as country,
        formed.customer_value as value
    from formed
)

select * from final
where
    email is not null
    or phone is not null
    or (fn is not null and ln is not null)
