with signs as (
    select * from {{ ref('int_account_risk_signs') }}
    where {{ is_beyond('observed', 'comparison', 'threshold') }}
),

weighed as (
    select
        signs.*,
        case
            when {{ is_beyond('signs.observed', 'signs.comparison', 'signs.high_threshold') }}
                then 'high'
            else 'medium'
        end as severity
    from signs
),

-- of two rules that give one reason the more severe speaks
ordered as (
    select
        weighed.*,
        row_number() over (
            partition by weighed.account_sk, weighed.reason
            order by case weighed.severity when 'high' then 1 else 2 end, weighed.rule
        ) as rule_order
    from weighed
)

select
    ordered.account_sk,
    ordered.as_of,
    ordered.reason,
    ordered.reason_order,
    ordered.rule,
    ordered.unit,
    ordered.observed,
    ordered.threshold,
    ordered.severity,
    ordered.revenue,
    ordered.revenue_previous
from ordered
where ordered.rule_order = 1
