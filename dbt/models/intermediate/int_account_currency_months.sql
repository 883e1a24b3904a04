{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='month_index',
    meta={'parts': 'int_account_months_fingerprinted'},
) }}

with customer_months as (
    select * from {{ ref('int_customer_currency_months') }}
    where
        booking = 'booked'
        and {{ in_changed_numbers(
            'month_index', 'month_index', ref('int_account_months_fingerprinted')
        ) }}
),

members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'customers'
),

summed as (
    select
        members.account_sk,
        customer_months.month_index,
        customer_months.currency,
        cast(sum(customer_months.revenue) as decimal(18, 4)) as revenue,
        cast(sum(customer_months.revenue_local) as decimal(18, 4)) as revenue_local,
        cast(sum(customer_months.turnover) as decimal(18, 4)) as turnover,
        cast(sum(customer_months.costed_turnover) as decimal(18, 4)) as costed_turnover,
        cast(sum(customer_months.costed_revenue) as decimal(18, 4)) as costed_revenue,
        cast(sum(customer_months.cost) as decimal(18, 4)) as cost,
        cast(sum(customer_months.recurring_revenue) as decimal(18, 4)) as recurring_revenue,
        cast(sum(customer_months.line_count) as bigint) as line_count,
        cast(sum(customer_months.costed_line_count) as bigint) as costed_line_count,
        cast(sum(customer_months.invoice_count) as bigint) as invoice_count,
        min(customer_months.first_invoice_date) as first_invoice_date,
        max(customer_months.last_invoice_date) as last_invoice_date
    from customer_months
    inner join members
        on
            customer_months.source_system = members.source_system
            and customer_months.customer_id = members.source_id
    group by members.account_sk, customer_months.month_index, customer_months.currency
)

select
    summed.*,
    months.input_fingerprint
from summed
inner join {{ ref('int_account_months_fingerprinted') }} as months
    on summed.month_index = months.month_index
