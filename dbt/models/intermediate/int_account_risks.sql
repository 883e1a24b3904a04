with accounts as (
    select * from {{ ref('int_accounts') }}
),

reasons as (
    select
        reasons.account_sk,
        count(*) as risk_count,
        max(case when reasons.severity = 'high' then 1 else 0 end) as high_count,
        {{ dbt.listagg('reasons.reason', "', '", 'order by reasons.reason_order') }}
            as risk_reasons
    from {{ ref('int_account_risk_reasons') }} as reasons
    group by reasons.account_sk
)

select
    accounts.account_sk,
    reasons.account_sk is not null as is_at_risk,
    cast(coalesce(reasons.risk_count, 0) as bigint) as risk_count,
    reasons.risk_reasons,
    case when reasons.high_count = 1 then 'high' when reasons.high_count = 0 then 'medium' end
        as risk_severity
from accounts
left join reasons on accounts.account_sk = reasons.account_sk
