with source as (
    select * from {{ source('crm', 'accounts') }}
),

versions as (
    {{ ranked_versions('source', ['account_id'], version='updated_at') }}
),

renamed as (
    select
        source_system,
        account_id,
        account_name,
        parent_account_id,
        account_type,
        erp_customer_id,
        vat_number,
        registration_number,
        website,
        email_domain,
        linkedin_url,
        country_code,
        region,
        city,
        postal_code,
        industry,
        employee_count,
        company_revenue,
        declared_potential,
        potential_currency,
        owner_id,
        created_at,
        updated_at,
        coalesce(is_deleted, false) as is_deleted,
        merged_into_id,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
