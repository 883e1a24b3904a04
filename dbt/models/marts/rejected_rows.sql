with read_rejects as (
    select
        source_file,
        line_number,
        entity,
        source_system,
        column_name,
        raw_value,
        rule
    from {{ ref('stg_run__rejected_rows') }}
),

unconvertible as (
    select
        deliveries.source_file,
        lines.line_number,
        deliveries.entity,
        lines.source_system,
        'currency' as column_name,
        concat(
            cast(lines.net_amount as string),
            ' ',
            lines.currency,
            ' on ',
            cast(lines.invoice_date as string)
        )
            as raw_value,
        'no_exchange_rate' as rule
    from {{ ref('int_invoice_lines_unconvertible') }} as lines
    inner join {{ ref('stg_run__deliveries') }} as deliveries
        on lines.delivery_id = deliveries.delivery_id
    where not deliveries.is_repeated and not deliveries.is_replaced
)

select * from read_rejects
union all
select * from unconvertible
