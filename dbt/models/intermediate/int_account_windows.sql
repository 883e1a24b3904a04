with cumulated as (
    select * from {{ ref('int_account_months_cumulated') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

as_ofs as (
    select * from {{ ref('int_as_ofs') }}
),

existing as (
    select
        accounts.account_sk,
        as_ofs.as_of_index,
        parameters.window_months
    from accounts
    cross join as_ofs
    cross join parameters
    left join (
        select
            cumulated.account_sk,
            min(cumulated.month_index) as first_month_index
        from cumulated
        group by cumulated.account_sk
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
        {{ month_start('existing.as_of_index') }} as as_of,
        {% for column in [
            'revenue', 'turnover', 'costed_turnover', 'costed_revenue', 'cost', 'line_count',
            'costed_line_count', 'invoice_count',
            'active_months',
        ] %}
            coalesce(today.{{ column }}, 0) - coalesce(before.{{ column }}, 0) as {{ column }},
        {% endfor %}
        coalesce(before.revenue, 0) - coalesce(earlier.revenue, 0) as revenue_previous,
        today.first_invoice_date,
        today.last_invoice_date
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
    windows.last_invoice_date
from windows
