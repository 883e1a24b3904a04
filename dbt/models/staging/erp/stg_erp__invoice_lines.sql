{{ config(materialized='view') }}

with source as (
    select * from {{ source('erp', 'invoice_lines') }}
),

latest as (
    select source.*
    from source
    left join {{ ref('stg_erp__invoice_lines_superseded') }} as superseded
        on
            source.delivery_id = superseded.delivery_id
            and source.line_number = superseded.line_number
    where superseded.delivery_id is null
),

renamed as (
    select
        source_system,
        invoice_id,
        line_id,
        customer_id,
        invoice_date,
        document_type,
        product_id,
        quantity,
        net_amount,
        currency,
        cost_amount,
        coalesce(cost_currency, currency) as cost_currency,
        reverses_invoice_id,
        coalesce(is_cancelled, false) as is_cancelled,
        business_unit,
        coalesce(is_recurring, false) as is_recurring,
        delivery_id,
        line_number
    from latest
)

select * from renamed
