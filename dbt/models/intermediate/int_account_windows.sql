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

-- the last months of a window, of the one before it and of what lies before both: no sum begins or
-- ends between them, so the months up to each are one row
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
        max(months.last_invoice_date) as last_invoice_date
    from {{ ref('int_account_months') }} as months
    inner join month_ends on months.month_index = month_ends.month_index
    group by months.account_sk, month_ends.end_index
),

existing as (
    select
        accounts.account_sk,
        as_ofs.as_of_index,
        as_ofs.as_of,
        as_ofs.input_fingerprint,
        started.first_invoice_date,
        coalesce(started.first_month_index < as_ofs.as_of_index, false) as has_months
    from accounts
    cross join as_ofs
    cross join {{ ref('stg_run__parameters') }} as parameters
    left join (
        select
            months.account_sk,
            min(months.month_index) as first_month_index,
            min(months.first_invoice_date) as first_invoice_date
        from {{ ref('int_account_months') }} as months
        group by months.account_sk
    ) as started on accounts.account_sk = started.account_sk
    where
        accounts.created_date is null
        or year(accounts.created_date) * 12 + month(accounts.created_date) < as_ofs.as_of_index
        or started.first_month_index < as_ofs.as_of_index
        or as_ofs.as_of_index = parameters.as_of_month_index
),

-- sums over a frame are dear: who has bought nothing yet needs none
buying as (
    select
        existing.account_sk,
        existing.as_of_index,
        existing.as_of,
        existing.input_fingerprint,
        existing.first_invoice_date
    from existing
    where existing.has_months
),

-- a window ends where an account is classified; what was invoiced in between is summed there
events as (
    select
        coalesce(buying.account_sk, spans.account_sk) as account_sk,
        -- in thousandths of a window, so that one and two windows are numbers that a frame can hold
        {{ integer_quotient(
            'coalesce(buying.as_of_index - 1, spans.end_index) * 1000',
            'parameters.window_months',
            'bigint'
        ) }} as window_thousandths,
        buying.as_of_index,
        buying.as_of,
        buying.input_fingerprint,
        {% for column in sums + counts %}
            spans.{{ column }},
        {% endfor %}
        buying.first_invoice_date,
        spans.last_invoice_date
    from buying
    full outer join spans
        on
            buying.account_sk = spans.account_sk
            and buying.as_of_index - 1 = spans.end_index
    cross join {{ ref('stg_run__parameters') }} as parameters
),

windows as (
    select
        events.account_sk,
        events.as_of_index,
        events.as_of,
        events.input_fingerprint,
        events.first_invoice_date,
        {% for column in sums + counts %}
            coalesce(sum(events.{{ column }}) over this_window, 0) as {{ column }},
        {% endfor %}
        coalesce(sum(events.revenue) over window_before, 0) as revenue_previous,
        max(events.last_invoice_date) over to_date as last_invoice_date
    from events
    window
        this_window as (
            partition by events.account_sk
            order by events.window_thousandths
            range between 999 preceding and current row
        ),
        window_before as (
            partition by events.account_sk
            order by events.window_thousandths
            range between 1999 preceding and 1000 preceding
        ),
        to_date as (
            partition by events.account_sk
            order by events.window_thousandths
            range between unbounded preceding and current row
        )
),

all_windows as (
    select
        windows.account_sk,
        windows.as_of_index,
        windows.as_of,
        windows.input_fingerprint,
        windows.first_invoice_date,
        {% for column in sums + counts %}
            windows.{{ column }},
        {% endfor %}
        windows.revenue_previous,
        windows.last_invoice_date
    from windows
    where windows.as_of_index is not null
    union all
    select
        existing.account_sk,
        existing.as_of_index,
        existing.as_of,
        existing.input_fingerprint,
        existing.first_invoice_date,
        {% for column in sums + counts %}
            0 as {{ column }},
        {% endfor %}
        0 as revenue_previous,
        cast(null as date) as last_invoice_date
    from existing
    where not existing.has_months
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
    -- an account's first invoice, once it is of the past
    case
        when windows.first_invoice_date < {{ month_start('windows.as_of_index') }}
            then windows.first_invoice_date
    end as first_invoice_date,
    windows.last_invoice_date,
    windows.input_fingerprint
from all_windows as windows
