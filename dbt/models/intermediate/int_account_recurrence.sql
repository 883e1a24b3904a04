with windows as (
    select
        windows.*,
        parameters.as_of_month_index,
        parameters.window_months
    from {{ ref('int_account_windows') }} as windows
    inner join {{ ref('stg_run__parameters') }} as parameters
        on windows.as_of_index = parameters.as_of_month_index
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

-- the window and the one before: who buys twice a year shows a cadence too
months as (
    select
        months.account_sk,
        months.month_index,
        months.recurring_revenue,
        months.invoice_count,
        months.first_invoice_date,
        months.month_index >= parameters.as_of_month_index - parameters.window_months
            as is_in_window
    from {{ ref('int_account_months') }} as months
    cross join parameters
    where
        months.month_index < parameters.as_of_month_index
        and months.month_index >= parameters.as_of_month_index - 2 * parameters.window_months
),

recurring as (
    select
        months.account_sk,
        cast(sum(months.recurring_revenue) as decimal(18, 4)) as recurring_revenue
    from months
    where months.is_in_window
    group by months.account_sk
),

purchases as (
    select
        months.account_sk,
        months.first_invoice_date,
        lag(months.first_invoice_date) over (
            partition by months.account_sk
            order by months.month_index
        ) as previous_invoice_date
    from months
    where months.invoice_count > 0
),

gaps as (
    select
        purchases.account_sk,
        {{ days_between('purchases.previous_invoice_date', 'purchases.first_invoice_date') }}
            as days
    from purchases
    where purchases.previous_invoice_date is not null
),

intervals as (
    select
        gaps.account_sk,
        cast(count(*) as bigint) as interval_count,
        cast(sum(gaps.days) as bigint) as day_sum,
        cast(sum(gaps.days * gaps.days) as bigint) as square_sum,
        {{ median_of('gaps.days') }} as median_days
    from gaps
    group by gaps.account_sk
),

observed as (
    select
        windows.account_sk,
        windows.as_of,
        windows.active_months,
        case
            when windows.first_invoice_date is not null
                then least(
                    windows.window_months,
                    windows.as_of_month_index
                    - (year(windows.first_invoice_date) * 12 + month(windows.first_invoice_date))
                )
        end as observed_months,
        coalesce(intervals.interval_count, 0) as interval_count,
        intervals.median_days,
        intervals.day_sum,
        -- n * sum of squares - square of the sum: whole numbers, the same in any order of adding
        intervals.interval_count * intervals.square_sum - intervals.day_sum * intervals.day_sum
            as spread,
        {{ days_between('windows.last_invoice_date', 'windows.as_of') }}
            as days_since_last_invoice,
        coalesce(recurring.recurring_revenue, 0) as recurring_revenue,
        windows.revenue
    from windows
    left join intervals on windows.account_sk = intervals.account_sk
    left join recurring on windows.account_sk = recurring.account_sk
)

select
    observed.account_sk,
    observed.as_of,
    observed.active_months,
    cast(observed.observed_months as bigint) as observed_months,
    {{ ratio('observed.active_months', 'observed.observed_months') }}
        as share_of_months_with_invoices,
    observed.interval_count,
    {{ ratio('observed.day_sum', 'observed.interval_count') }} as mean_interval_days,
    -- one interval alone says nothing of a habit
    case when observed.interval_count >= 2 then observed.median_days end as buying_cadence_days,
    case
        when observed.interval_count >= 2
            then {{ ratio(
                'greatest(cast(0 as double), cast(observed.day_sum as double) '
                ~ '- sqrt(cast(observed.spread as double)))',
                'observed.day_sum'
            ) }}
    end as regularity,
    observed.days_since_last_invoice,
    cast(observed.recurring_revenue as decimal(18, 4)) as recurring_revenue,
    -- credit notes on what is not recurring can lift the share above 1
    case
        when observed.revenue <= 0 then cast(null as double)
        when observed.recurring_revenue <= 0 then cast(0 as double)
        when observed.recurring_revenue >= observed.revenue then cast(1 as double)
        else {{ ratio('observed.recurring_revenue', 'observed.revenue') }}
    end as recurring_revenue_share
from observed
