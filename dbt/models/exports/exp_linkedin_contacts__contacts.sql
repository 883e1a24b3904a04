with contacts as (
    {{ contacts_judged_for('linkedin_contacts') }}
),

-- a name cut off matches nobody, and one that is too long stops the upload
fitted as (
    select
        contacts.audience,
        contacts.contact_key,
        contacts.email,
        case when length(contacts.first_name) <= 35 then contacts.first_name end as firstname,
        case when length(contacts.last_name) <= 35 then contacts.last_name end as lastname,
        case when length(contacts.job_title) <= 50 then contacts.job_title end as jobtitle,
        case when length(contacts.account_name) <= 50 then contacts.account_name end
            as employeecompany,
        contacts.country_code as country,
        cast(null as string) as googleaid
    from contacts
    where contacts.ineligible_reason is null
)

select * from fitted
where
    email is not null
    or (firstname is not null and lastname is not null)
