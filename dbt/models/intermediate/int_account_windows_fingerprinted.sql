with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

as_ofs as (
    select
        as_ofs.as_of_index,
        parameters.as_of_month_index,
        parameters.window_months
    from {{ ref('int_as_ofs') }} as as_ofs
    cross join parameters
),

months as (
    select
        months.month_index,
        {{ fingerprint([
            'months.account_sk', 'months.revenue', 'months.turnover', 'months.costed_turnover',
            'months.costed_revenue', 'months.cost', 'months.line_count',
            'months.costed_line_count', 'months.invoice_count', 'months.first_invoice_date',
            'months.last_invoice_date',
        ]) }} as month_said,
        {{ fingerprint([
            'months.account_sk', 'months.first_invoice_date', 'months.last_invoice_date',
        ]) }} as dates_said
    from {{ ref('int_account_months') }} as months
    group by months.month_index
),

-- an account is there after the month in which it was created or first invoiced
starts as (
    select
        accounts.account_sk,
        accounts.is_excluded,
        case
            when accounts.created_date is null then 0
            else least(
                year(accounts.created_date) * 12 + month(accounts.created_date),
                coalesce(
                    first_months.month_index,
                    year(accounts.created_date) * 12 + month(accounts.created_date)
                )
            )
        end as start_index
    from accounts
    left join (
        select
            months.account_sk,
            min(months.month_index) as month_index
        from {{ ref('int_account_months') }} as months
        group by months.account_sk
    ) as first_months on accounts.account_sk = first_months.account_sk
),

started as (
    select
        starts.start_index,
        {{ fingerprint(['starts.account_sk', 'starts.is_excluded']) }} as accounts_said
    from starts
    group by starts.start_index
),

existing as (
    select
        as_ofs.as_of_index,
        as_ofs.window_months,
        {{ fingerprint(['started.start_index', 'started.accounts_said']) }} as accounts_said
    from as_ofs
    inner join started
        on
            as_ofs.as_of_index > started.start_index
            or as_ofs.as_of_index = as_ofs.as_of_month_index
    group by as_ofs.as_of_index, as_ofs.window_months
),

-- the window and the one before it
windowed as (
    select
        as_ofs.as_of_index,
        {{ fingerprint(['months.month_index', 'months.month_said']) }} as months_said
    from as_ofs
    inner join months
        on
            as_ofs.as_of_index - 2 * as_ofs.window_months <= months.month_index
            and as_ofs.as_of_index > months.month_index
    group by as_ofs.as_of_index
),

-- of what lies before them only the first and the last invoice are looked at
earlier as (
    select
        as_ofs.as_of_index,
        {{ fingerprint(['months.month_index', 'months.dates_said']) }} as dates_said
    from as_ofs
    inner join months
        on as_ofs.as_of_index - 2 * as_ofs.window_months > months.month_index
    group by as_ofs.as_of_index
),

said as (
    select
        existing.as_of_index,
        concat(
            existing.accounts_said, '|', coalesce(windowed.months_said, '-'), '|',
            coalesce(earlier.dates_said, '-'), '|', cast(existing.window_months as string)
        ) as input_said
    from existing
    left join windowed on existing.as_of_index = windowed.as_of_index
    left join earlier on existing.as_of_index = earlier.as_of_index
)

select
    said.as_of_index,
    {{ month_start('said.as_of_index') }} as as_of,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
