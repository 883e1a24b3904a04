with source as (
    {{ dated_control_totals() }}
),

versions as (
    {{ ranked_versions('source', ['month_index', 'currency']) }}
),

renamed as (
    select
        source_system,
        month_index,
        currency,
        amount,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
