{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='delivery_id',
    meta={'parts': 'stg_run__delivery_parts'},
) }}

with source as (
    select * from {{ source('erp', 'invoice_lines') }}
),

changed as (
    {{ changed_parts(ref('stg_run__delivery_parts'), 'delivery_id') }}
),

renamed as (
    select
        source.delivery_id,
        source.line_number,
        source.source_system,
        source.invoice_id,
        source.document_type,
        source.net_amount,
        source.reverses_invoice_id,
        coalesce(source.is_cancelled, false) as is_cancelled,
        cast(year(source.invoice_date) * 12 + month(source.invoice_date) as integer) as month_index,
        changed.input_fingerprint
    from source
    inner join changed on source.delivery_id = changed.delivery_id
    where
        {{ in_changed_deliveries('source.delivery_id', ref('stg_run__delivery_parts')) }}
        and (
            source.document_type in ('credit_note', 'cancellation')
            or source.reverses_invoice_id is not null
            or source.is_cancelled
        )
)

select * from renamed
