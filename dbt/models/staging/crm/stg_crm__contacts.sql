with source as (
    select * from {{ source('crm', 'contacts') }}
),

versions as (
    {{ ranked_versions('source', ['contact_id'], version='updated_at') }}
),

renamed as (
    select
        source_system,
        contact_id,
        account_id,
        first_name,
        last_name,
        email,
        phone,
        job_title,
        buying_role,
        linkedin_url,
        country_code,
        consent_email,
        consent_ads,
        coalesce(opted_out, false) as opted_out,
        updated_at,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
