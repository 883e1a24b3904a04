{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='month_index',
    meta={'parts': 'int_invoice_months_fingerprinted'},
) }}

-- counted from the lines themselves, so that the gate can hold them against the ledger
with lines as (
    select * from {{ ref('stg_erp__invoice_lines') }}
    where {{ in_changed_months('invoice_date', ref('int_invoice_months_fingerprinted')) }}
),

counted as (
    select
        lines.delivery_id,
        cast(year(lines.invoice_date) * 12 + month(lines.invoice_date) as integer) as month_index,
        count(*) as line_count
    from lines
    group by lines.delivery_id, year(lines.invoice_date) * 12 + month(lines.invoice_date)
)

select
    counted.*,
    months.input_fingerprint
from counted
inner join {{ ref('int_invoice_months_fingerprinted') }} as months
    on counted.month_index = months.month_index
