with source as (
    select * from {{ source('crm', 'users') }}
),

versions as (
    {{ ranked_versions('source', ['user_id']) }}
),

renamed as (
    select
        source_system,
        user_id,
        user_name,
        email,
        is_active,
        available_hours_per_year,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
