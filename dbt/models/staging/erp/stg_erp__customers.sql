with source as (
    select * from {{ source('erp', 'customers') }}
),

versions as (
    {{ ranked_versions('source', ['customer_id']) }}
),

renamed as (
    select
        source_system,
        customer_id,
        customer_name,
        parent_customer_id,
        crm_account_id,
        vat_number,
        registration_number,
        email_domain,
        country_code,
        city,
        postal_code,
        customer_class,
        business_unit,
        coalesce(is_one_time, false) as is_one_time,
        coalesce(is_intercompany, false) as is_intercompany,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
