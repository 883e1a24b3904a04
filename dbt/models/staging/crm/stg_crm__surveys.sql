with source as (
    select * from {{ source('crm', 'surveys') }}
),

versions as (
    {{ ranked_versions('source', ['survey_id']) }}
),

renamed as (
    select
        source_system,
        survey_id,
        account_id,
        survey_date,
        score,
        scale,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
