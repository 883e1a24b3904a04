{{ config(
    severity='error',
    meta={
        'remedy':
            'Look for lines whose customer is in no account, or for accounts joined twice, in the'
            ~ ' month that is named.',
        'dagster': {'ref': {'name': 'account_monthly'}},
    },
) }}

-- the lines are summed without their accounts, so that a line without an account shows
with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

line_months as (
    select
        lines.month_index,
        sum(lines.revenue) as revenue
    from {{ ref('int_invoice_lines_counted') }} as lines
    inner join parameters on lines.month_index < parameters.as_of_month_index
    where lines.booking = 'booked'
    group by lines.month_index
),

mart_months as (
    select
        year(months.month) * 12 + month(months.month) as month_index,
        sum(months.revenue) as revenue
    from {{ ref('account_monthly') }} as months
    group by year(months.month) * 12 + month(months.month)
),

window_lines as (
    select coalesce(sum(line_months.revenue), 0) as revenue
    from parameters
    left join line_months
        on line_months.month_index >= parameters.as_of_month_index - parameters.window_months
),

matched as (
    select
        coalesce(line_months.month_index, mart_months.month_index) as month_index,
        coalesce(line_months.revenue, 0) as line_revenue,
        coalesce(mart_months.revenue, 0) as mart_revenue
    from line_months
    full outer join mart_months on line_months.month_index = mart_months.month_index
),

compared as (
    select
        concat('month ', cast({{ month_start('matched.month_index') }} as string)) as part,
        matched.line_revenue,
        matched.mart_revenue
    from matched
    union all
    select
        'all months' as part,
        (select coalesce(sum(line_months.revenue), 0) from line_months) as line_revenue,
        (select coalesce(sum(mart_months.revenue), 0) from mart_months) as mart_revenue
    union all
    select
        'window of account_tiers' as part,
        window_lines.revenue as line_revenue,
        (select coalesce(sum(tiers.revenue), 0) from {{ ref('account_tiers') }} as tiers)
            as mart_revenue
    from window_lines
)

select
    compared.part,
    concat(
        compared.part, ': lines ', cast(compared.line_revenue as string), ', mart ',
        cast(compared.mart_revenue as string)
    ) as observed
from compared
where compared.line_revenue <> compared.mart_revenue
