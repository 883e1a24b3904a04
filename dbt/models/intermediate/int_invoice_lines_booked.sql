{{ config(materialized='view') }}

with lines as (
    select * from {{ ref('stg_erp__invoice_lines') }}
),

signed as (
    select
        lines.source_system,
        lines.invoice_id,
        lines.line_id,
        lines.customer_id,
        lines.invoice_date,
        lines.document_type,
        lines.product_id,
        -- some systems count the units of a credit note upwards: the amount says which way they
        -- went
        case
            when lines.document_type in ('credit_note', 'cancellation')
                then
                    abs(lines.quantity)
                    * {{ sign_of('lines.net_amount') }}
                    * coalesce(corrected.amount_sign, 1)
            else lines.quantity
        end as quantity,
        lines.net_amount * coalesce(corrected.amount_sign, 1) as net_amount,
        lines.currency,
        case
            when corrected.amount_sign = -1 and lines.cost_amount > 0 then -lines.cost_amount
            else lines.cost_amount
        end as cost_amount,
        lines.cost_currency,
        lines.business_unit,
        lines.is_recurring,
        types.is_sale and not lines.is_cancelled as is_sale,
        coalesce(
            case when lines.is_cancelled then corrected.left_out_reason end, types.left_out_reason
        ) as left_out_reason,
        lines.delivery_id,
        lines.line_number
    from lines
    inner join {{ ref('document_types') }} as types on lines.document_type = types.document_type
    left join {{ ref('int_invoice_documents_corrected') }} as corrected
        on
            lines.source_system = corrected.source_system
            and lines.invoice_id = corrected.invoice_id
            and lines.document_type = corrected.document_type
)

select * from signed
