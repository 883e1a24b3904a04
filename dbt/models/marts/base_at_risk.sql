select
    accounts.account_key,
    reasons.reason,
    reasons.reason_order,
    accounts.account_name,
    reasons.as_of,
    accounts.owner_id,
    reasons.rule,
    reasons.observed,
    reasons.threshold,
    reasons.unit,
    reasons.severity,
    cast(reasons.revenue as decimal(18, 4)) as value_at_risk,
    cast(reasons.revenue_previous as decimal(18, 4)) as revenue_previous
from {{ ref('int_account_risk_reasons') }} as reasons
inner join {{ ref('int_accounts') }} as accounts on reasons.account_sk = accounts.account_sk
