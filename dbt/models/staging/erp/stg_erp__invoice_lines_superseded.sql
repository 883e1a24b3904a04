with repeated as (
    select * from {{ ref('stg_erp__invoice_lines_repeated') }}
    where line_number > 0
),

ranked as (
    select
        repeated.*,
        row_number() over (
            partition by repeated.source_system, repeated.invoice_id, repeated.line_id
            order by deliveries.delivery_order desc, repeated.line_number desc
        ) as version_rank
    from repeated
    inner join {{ ref('stg_run__deliveries') }} as deliveries
        on repeated.delivery_id = deliveries.delivery_id
    where not deliveries.is_repeated and not deliveries.is_replaced
),

superseded as (
    select
        ranked.source_system,
        ranked.invoice_id,
        ranked.line_id,
        ranked.delivery_id,
        ranked.line_number,
        ranked.month_index
    from ranked
    where ranked.version_rank > 1
)

select * from superseded
