with windows as (
    select
        windows.*,
        parameters.as_of_month_index,
        parameters.window_months
    from {{ ref('int_account_windows') }} as windows
    inner join {{ ref('stg_run__parameters') }} as parameters
        on windows.as_of_index = parameters.as_of_month_index
),

before as (
    select
        months.account_sk,
        sum(months.turnover) as turnover,
        sum(months.costed_turnover) as costed_turnover,
        sum(months.costed_revenue) as costed_revenue,
        sum(months.cost) as cost
    from {{ ref('int_account_months') }} as months
    cross join {{ ref('stg_run__parameters') }} as parameters
    where
        months.month_index < parameters.as_of_month_index - parameters.window_months
        and months.month_index >= parameters.as_of_month_index - 2 * parameters.window_months
    group by months.account_sk
),

compared as (
    select
        windows.account_sk,
        windows.as_of,
        windows.revenue,
        windows.gross_margin,
        windows.costed_revenue,
        windows.turnover,
        windows.costed_turnover,
        {% for column in ['turnover', 'costed_turnover', 'costed_revenue', 'cost'] %}
            cast(coalesce(before.{{ column }}, 0) as decimal(18, 4)) as {{ column }}_previous,
        {% endfor %}
        windows.revenue_previous
    from windows
    left join before on windows.account_sk = before.account_sk
),

-- a margin of which too little is known cannot be said to slide
judged as (
    select
        compared.*,
        compared.costed_revenue > 0
        and compared.costed_revenue_previous > 0
        and cast(compared.costed_turnover as decimal(27, 4))
        >= parameters.min_cost_coverage * cast(compared.turnover as decimal(27, 4))
        and cast(compared.costed_turnover_previous as decimal(27, 4))
        >= parameters.min_cost_coverage * cast(compared.turnover_previous as decimal(27, 4))
            as has_margins
    from compared
    cross join {{ ref('stg_run__parameters') }} as parameters
)

select
    judged.account_sk,
    judged.as_of,
    judged.revenue,
    judged.revenue_previous,
    case
        when judged.has_margins
            then {{ ratio('judged.gross_margin', 'judged.costed_revenue') }}
    end as gross_margin_rate,
    case
        when judged.has_margins
            then {{ ratio(
                'judged.costed_revenue_previous - judged.cost_previous',
                'judged.costed_revenue_previous'
            ) }}
    end as gross_margin_rate_previous
from judged
