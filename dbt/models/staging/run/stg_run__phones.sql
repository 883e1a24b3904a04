with source as (
    select * from {{ source('run_contacts', 'phones') }}
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
