with source as (
    select * from {{ source('governance', 'identity_links') }}
),

versions as (
    {{ ranked_versions('source', ['crm_account_id', 'erp_customer_id'], version='decided_on') }}
),

renamed as (
    select
        source_system,
        crm_account_id,
        erp_customer_id,
        decision,
        decided_by,
        decided_on,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
