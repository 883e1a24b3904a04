with source as (
    select * from {{ source('run', 'policy_parameters') }}
),

renamed as (
    select
        source.*,
        cast(year(source.as_of) * 12 + month(source.as_of) as integer) as as_of_month_index,
        cast(
            case source.line_decimals
                when 0 then 1 when 1 then 10 when 2 then 100 when 3 then 1000 else 10000
            end as integer
        ) as line_scale,
        cast(
            case source.line_decimals
                when 0 then 1 when 1 then 0.1 when 2 then 0.01 when 3 then 0.001 else 0.0001
            end as decimal(5, 4)
        ) as line_step
    from source
)

select * from renamed
