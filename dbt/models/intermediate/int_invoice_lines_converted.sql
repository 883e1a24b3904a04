{{ config(materialized='view') }}

{# read where it is needed: around a CTE that is read twice DuckDB computes all columns of lines #}
{% set rates = ref('int_exchange_rates_filled') %}

with lines as (
    select * from {{ ref('int_invoice_lines_costed') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

converted as (
    select
        lines.source_system,
        lines.invoice_id,
        lines.line_id,
        lines.customer_id,
        lines.invoice_date,
        lines.document_type,
        lines.product_id,
        lines.net_amount as revenue_local,
        lines.currency,
        case
            when lines.currency = parameters.reporting_currency then lines.net_amount
            else {{ convert_amount('lines.net_amount', 'rates') }}
        end as revenue,
        case
            when lines.cost_currency = parameters.reporting_currency then lines.cost_local
            else {{ convert_amount('lines.cost_local', 'cost_rates') }}
        end as cost,
        rates.rate_date,
        rates.rate_path,
        lines.is_recurring,
        lines.is_sale,
        lines.left_out_reason,
        lines.delivery_id,
        lines.line_number
    from lines
    cross join parameters
    left join {{ rates }} as rates
        on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
    left join {{ rates }} as cost_rates
        on lines.cost_currency = cost_rates.currency and lines.invoice_date = cost_rates.rate_for
)

select
    converted.*,
    case
        when converted.left_out_reason is not null then 'left_out'
        when converted.revenue is null then 'no_exchange_rate'
        else 'booked'
    end as booking
from converted
