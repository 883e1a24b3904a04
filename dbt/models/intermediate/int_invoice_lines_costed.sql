{{ config(materialized='view') }}

with lines as (
    select * from {{ ref('int_invoice_lines_booked') }}
),

costed as (
    select
        lines.source_system,
        lines.invoice_id,
        lines.line_id,
        lines.customer_id,
        lines.invoice_date,
        lines.document_type,
        lines.product_id,
        lines.net_amount,
        lines.currency,
        coalesce(
            lines.cost_amount,
            cast(
                cast(product_costs.unit_cost as decimal(19, 4))
                * cast(lines.quantity as decimal(18, 6))
                as decimal(18, 4)
            )
        ) as cost_local,
        case
            when lines.cost_amount is not null then lines.cost_currency
            else product_costs.currency
        end as cost_currency,
        lines.is_recurring,
        lines.is_sale,
        lines.left_out_reason,
        lines.delivery_id,
        lines.line_number
    from lines
    left join {{ ref('int_product_costs_dated') }} as product_costs
        on
            lines.source_system = product_costs.source_system
            -- only lines without a cost of their own look for one: the others have no key
            and case when lines.cost_amount is null then lines.product_id end
            = product_costs.product_id
            and lines.invoice_date between product_costs.valid_from and product_costs.valid_to
)

select * from costed
