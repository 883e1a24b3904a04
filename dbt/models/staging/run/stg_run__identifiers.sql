with source as (
    select * from {{ source('run', 'identifiers') }}
),

renamed as (
    select
        kind,
        raw_value,
        country_code,
        normalised,
        is_valid,
        problem
    from source
)

select * from renamed
