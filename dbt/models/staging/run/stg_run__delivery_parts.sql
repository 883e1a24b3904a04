with source as (
    select * from {{ source('run', 'deliveries') }}
),

parts as (
    select
        delivery_id,
        {{ surrogate_key('sha256') }} as input_fingerprint
    from source
    where entity = 'invoice_lines' and not is_repeated and not is_replaced
)

select * from parts
