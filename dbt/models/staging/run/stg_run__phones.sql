with source as (
    select * from {{ source('run', 'phones') }}
),

renamed as (
    select
        raw_value,
        country_code,
        normalised,
        problem
    from source
)

select * from renamed
