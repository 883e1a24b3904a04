with source as (
    select * from {{ source('run', 'rejected_rows') }}
),

renamed as (
    select
        entity,
        source_system,
        source_file,
        delivery_id,
        line_number,
        column_name,
        raw_value,
        rule,
        row_date,
        row_amount,
        row_currency
    from source
)

select * from renamed
