with source as (
    select * from {{ source('erp', 'invoice_lines') }}
),

hashed as (
    select {{ hash64(['source_system', 'invoice_id', 'line_id']) }} as key_hash
    from source
),

repeated as (
    select hashed.key_hash
    from hashed
    group by hashed.key_hash
    having count(*) > 1
),

candidates as (
    select
        source.source_system,
        source.invoice_id,
        source.line_id,
        source.delivery_id,
        source.line_number,
        deliveries.delivery_order
    from source
    inner join repeated
        on
            {{ hash64(['source.source_system', 'source.invoice_id', 'source.line_id']) }}
            = repeated.key_hash
    inner join {{ ref('stg_run__deliveries') }} as deliveries
        on source.delivery_id = deliveries.delivery_id
    where not deliveries.is_repeated
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by candidates.source_system, candidates.invoice_id, candidates.line_id
            order by candidates.delivery_order desc, candidates.line_number desc
        ) as version_rank
    from candidates
),

superseded as (
    select
        ranked.source_system,
        ranked.invoice_id,
        ranked.line_id,
        ranked.delivery_id,
        ranked.line_number
    from ranked
    where ranked.version_rank > 1
)

select * from superseded
