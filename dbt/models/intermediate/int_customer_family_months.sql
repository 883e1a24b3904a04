{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='month_index',
    meta={'parts': 'int_family_months_fingerprinted'},
) }}

{% set months = ref('int_family_months_fingerprinted') %}

with lines as (
    select * from {{ ref('int_invoice_lines_converted') }}
    where {{ in_changed_months('invoice_date', months, is_bounded=true) }}
),

products as (
    select * from {{ ref('stg_erp__products') }}
    where product_family is not null
),

summed as (
    select
        lines.source_system,
        lines.customer_id,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        coalesce(products.product_family, 'unknown') as product_family,
        cast(sum(lines.revenue) as decimal(18, 4)) as revenue,
        cast(count(*) as bigint) as line_count
    from lines
    left join products
        on lines.source_system = products.source_system and lines.product_id = products.product_id
    where lines.booking = 'booked'
    group by
        lines.source_system,
        lines.customer_id,
        year(lines.invoice_date) * 12 + month(lines.invoice_date),
        coalesce(products.product_family, 'unknown')
)

select
    summed.*,
    months.input_fingerprint
from summed
inner join {{ months }} as months on summed.month_index = months.month_index
