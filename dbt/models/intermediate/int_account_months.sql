{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='month_index',
    meta={'parts': 'int_account_months_fingerprinted'},
) }}

{% set is_changed = in_changed_numbers(
    'currency_months.month_index', 'month_index', ref('int_account_months_fingerprinted')
) %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

-- constant currency: every month at the last rate before as_of
constant_rates as (
    select * from {{ ref('int_exchange_rates_filled') }}
),

constant as (
    select
        currency_months.*,
        case
            when
                currency_months.currency = parameters.reporting_currency
                then currency_months.revenue_local
            else {{ convert_amount('currency_months.revenue_local', 'constant_rates') }}
        end as revenue_constant_currency
    from {{ ref('int_account_currency_months') }} as currency_months
    cross join parameters
    left join constant_rates
        on
            currency_months.currency = constant_rates.currency
            and constant_rates.rate_for = {{ add_days('parameters.as_of', -1) }}
    where {{ is_changed }}
),

months as (
    select
        constant.account_sk,
        constant.month_index,
        cast(sum(constant.revenue) as decimal(18, 4)) as revenue,
        case
            when count(*) = count(constant.revenue_constant_currency)
                then cast(sum(constant.revenue_constant_currency) as decimal(18, 4))
        end as revenue_constant_currency,
        cast(sum(constant.turnover) as decimal(18, 4)) as turnover,
        cast(sum(constant.costed_turnover) as decimal(18, 4)) as costed_turnover,
        cast(sum(constant.costed_revenue) as decimal(18, 4)) as costed_revenue,
        cast(sum(constant.cost) as decimal(18, 4)) as cost,
        cast(sum(constant.recurring_revenue) as decimal(18, 4)) as recurring_revenue,
        cast(sum(constant.line_count) as bigint) as line_count,
        cast(sum(constant.costed_line_count) as bigint) as costed_line_count,
        cast(sum(constant.invoice_count) as bigint) as invoice_count,
        min(constant.first_invoice_date) as first_invoice_date,
        max(constant.last_invoice_date) as last_invoice_date,
        min(constant.currency) as first_currency,
        count(*) as currency_count
    from constant
    group by constant.account_sk, constant.month_index
),

-- listed only where there are several: a list in order per group costs DuckDB more than all sums
currency_lists as (
    select
        months.account_sk,
        months.month_index,
        {{ dbt.listagg('currency_months.currency', "','", 'order by currency_months.currency') }}
            as currencies
    from months
    inner join {{ ref('int_account_currency_months') }} as currency_months
        on
            months.account_sk = currency_months.account_sk
            and months.month_index = currency_months.month_index
    where months.currency_count > 1 and {{ is_changed }}
    group by months.account_sk, months.month_index
)

select
    months.account_sk,
    accounts.account_key,
    accounts.is_excluded,
    months.month_index,
    {{ month_start('months.month_index') }} as month,
    months.revenue,
    months.revenue_constant_currency,
    months.turnover,
    months.costed_turnover,
    months.costed_revenue,
    months.cost,
    months.recurring_revenue,
    months.line_count,
    months.costed_line_count,
    months.invoice_count,
    months.first_invoice_date,
    months.last_invoice_date,
    coalesce(currency_lists.currencies, months.first_currency) as currencies,
    parts.input_fingerprint
from months
inner join {{ ref('int_accounts') }} as accounts on months.account_sk = accounts.account_sk
inner join {{ ref('int_account_months_fingerprinted') }} as parts
    on months.month_index = parts.month_index
left join currency_lists
    on
        months.account_sk = currency_lists.account_sk
        and months.month_index = currency_lists.month_index
