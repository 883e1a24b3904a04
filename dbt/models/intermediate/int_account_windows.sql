{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_account_windows_fingerprinted'},
) }}

{% set is_changed = in_changed_as_ofs(
    'changed.as_of_index', ref('int_account_windows_fingerprinted')
) %}
{% set sums = ['revenue', 'turnover', 'costed_turnover', 'costed_revenue', 'cost'] %}
{% set counts = ['line_count', 'costed_line_count', 'invoice_count', 'active_months'] %}

with accounts as (
    select * from {{ ref('int_accounts') }}
),

as_ofs as (
    select
        changed.as_of_index,
        changed.as_of,
        changed.input_fingerprint,
        parameters.window_months
    from {{ ref('int_account_windows_fingerprinted') }} as changed
    cross join {{ ref('stg_run__parameters') }} as parameters
    where {{ is_changed }}
),

-- the last months of a window, of the one before it and of what lies before both: a window is a
-- difference of sums to date, which are needed there alone
ends as (
    select distinct as_ofs.as_of_index - 1 - steps.n * as_ofs.window_months as month_index
    from as_ofs
    inner join ({{ numbers() }}) as steps on steps.n < 3
),

month_ends as (
    select
        months.month_index,
        min(ends.month_index) as end_index
    from (select distinct month_index from {{ ref('int_account_months') }}) as months
    inner join ends on months.month_index <= ends.month_index
    group by months.month_index
),

spans as (
    select
        months.account_sk,
        month_ends.end_index,
        {% for column in sums %}
            cast(sum(months.{{ column }}) as decimal(18, 4)) as {{ column }},
        {% endfor %}
        cast(sum(months.line_count) as bigint) as line_count,
        cast(sum(months.costed_line_count) as bigint) as costed_line_count,
        cast(sum(months.invoice_count) as bigint) as invoice_count,
        count(case when months.invoice_count > 0 then 1 end) as active_months,
        min(months.first_invoice_date) as first_invoice_date,
        max(months.last_invoice_date) as last_invoice_date
    from {{ ref('int_account_months') }} as months
    inner join month_ends on months.month_index = month_ends.month_index
    group by months.account_sk, month_ends.end_index
),

-- every end from the account's first one on
grid as (
    select
        started.account_sk,
        ends.month_index
    from (
        select
            spans.account_sk,
            min(spans.end_index) as first_end_index
        from spans
        group by spans.account_sk
    ) as started
    inner join ends on started.first_end_index <= ends.month_index
),

cumulated as (
    select
        grid.account_sk,
        grid.month_index,
        -- narrow types: DuckDB unpacks 128-bit numbers slowly (1.4 million rows: 3 s)
        {% for column in sums %}
            cast(sum(spans.{{ column }}) over account_to_date as decimal(18, 4)) as {{ column }},
        {% endfor %}
        {% for column in counts %}
            cast(sum(spans.{{ column }}) over account_to_date as bigint) as {{ column }},
        {% endfor %}
        min(spans.first_invoice_date) over account_to_date as first_invoice_date,
        max(spans.last_invoice_date) over account_to_date as last_invoice_date
    from grid
    left join spans on grid.account_sk = spans.account_sk and grid.month_index = spans.end_index
    window account_to_date as (
        partition by grid.account_sk
        order by grid.month_index
        rows between unbounded preceding and current row
    )
),

existing as (
    select
        accounts.account_sk,
        as_ofs.as_of_index,
        as_ofs.as_of,
        as_ofs.window_months,
        as_ofs.input_fingerprint
    from accounts
    cross join as_ofs
    cross join {{ ref('stg_run__parameters') }} as parameters
    left join (
        select
            months.account_sk,
            min(months.month_index) as first_month_index
        from {{ ref('int_account_months') }} as months
        group by months.account_sk
    ) as started on accounts.account_sk = started.account_sk
    where
        accounts.created_date is null
        or year(accounts.created_date) * 12 + month(accounts.created_date) < as_ofs.as_of_index
        or started.first_month_index < as_ofs.as_of_index
        or as_ofs.as_of_index = parameters.as_of_month_index
),

windows as (
    select
        existing.account_sk,
        existing.as_of_index,
        existing.as_of,
        {% for column in sums + counts %}
            coalesce(today.{{ column }}, 0) - coalesce(before.{{ column }}, 0) as {{ column }},
        {% endfor %}
        coalesce(before.revenue, 0) - coalesce(earlier.revenue, 0) as revenue_previous,
        today.first_invoice_date,
        today.last_invoice_date,
        existing.input_fingerprint
    from existing
    left join cumulated as today
        on existing.account_sk = today.account_sk and existing.as_of_index - 1 = today.month_index
    left join cumulated as before
        on
            existing.account_sk = before.account_sk
            and existing.as_of_index - 1 - existing.window_months = before.month_index
    left join cumulated as earlier
        on
            existing.account_sk = earlier.account_sk
            and existing.as_of_index - 1 - 2 * existing.window_months = earlier.month_index
)

select
    windows.account_sk,
    windows.as_of_index,
    windows.as_of,
    cast(windows.revenue as decimal(18, 4)) as revenue,
    cast(windows.revenue_previous as decimal(18, 4)) as revenue_previous,
    cast(windows.turnover as decimal(18, 4)) as turnover,
    cast(windows.costed_turnover as decimal(18, 4)) as costed_turnover,
    case
        when windows.costed_line_count > 0
            then cast(windows.costed_revenue - windows.cost as decimal(18, 4))
    end as gross_margin,
    cast(windows.costed_revenue as decimal(18, 4)) as costed_revenue,
    cast(windows.line_count as bigint) as line_count,
    cast(windows.costed_line_count as bigint) as costed_line_count,
    cast(windows.invoice_count as bigint) as invoice_count,
    cast(windows.active_months as bigint) as active_months,
    windows.first_invoice_date,
    windows.last_invoice_date,
    windows.input_fingerprint
from windows
