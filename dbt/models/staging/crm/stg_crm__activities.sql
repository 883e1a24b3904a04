with source as (
    select * from {{ source('crm', 'activities') }}
),

versions as (
    {{ ranked_versions('source', ['activity_id']) }}
),

renamed as (
    select
        source_system,
        activity_id,
        account_id,
        owner_id,
        activity_type,
        activity_date,
        duration_minutes,
        direction,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
