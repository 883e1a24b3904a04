with base as (
    select
        described.account_sk,
        described.as_of,
        described.revenue,
        described.revenue_previous
    from {{ ref('int_account_tiers_described') }} as described
    inner join {{ ref('stg_run__parameters') }} as parameters
        on described.final_tier = parameters.best_tier
    where not described.is_excluded and described.first_invoice_date is not null
),

recurrence as (
    select * from {{ ref('int_account_recurrence') }}
),

compared as (
    select * from {{ ref('int_account_windows_compared') }}
),

surveys as (
    select * from {{ ref('int_account_surveys') }}
),

coverage as (
    select * from {{ ref('int_account_coverage') }}
),

-- one row per account and rule that can be judged: what is seen, in the unit of the rule
seen as (
    select
        base.account_sk,
        'recency' as rule,
        {{ ratio('recurrence.days_since_last_invoice', 'recurrence.buying_cadence_days') }}
            as observed,
        cast(null as double) as own_threshold
    from base
    inner join recurrence on base.account_sk = recurrence.account_sk
    where recurrence.buying_cadence_days is not null
    union all
    select
        base.account_sk,
        'recency_without_cadence' as rule,
        cast(recurrence.days_since_last_invoice as double) as observed,
        cast(null as double) as own_threshold
    from base
    inner join recurrence on base.account_sk = recurrence.account_sk
    where recurrence.buying_cadence_days is null
    union all
    select
        base.account_sk,
        'trend' as rule,
        {{ ratio('base.revenue_previous - base.revenue', 'base.revenue_previous') }} as observed,
        cast(null as double) as own_threshold
    from base
    where base.revenue_previous > 0
    union all
    select
        base.account_sk,
        'margin_slide' as rule,
        {{ ratio('compared.gross_margin_rate_previous - compared.gross_margin_rate', '1') }}
            as observed,
        cast(null as double) as own_threshold
    from base
    inner join compared on base.account_sk = compared.account_sk
    where compared.gross_margin_rate is not null
    union all
    select
        base.account_sk,
        concat('satisfaction_', surveys.scale) as rule,
        cast(surveys.score as double) as observed,
        cast(null as double) as own_threshold
    from base
    inner join surveys on base.account_sk = surveys.account_sk
    union all
    select
        base.account_sk,
        'coverage_hours' as rule,
        {{ ratio('coverage.actual_hours', 'coverage.planned_hours') }} as observed,
        {{ ratio('100 - coverage.tolerance_percent', '100') }} as own_threshold
    from base
    inner join coverage on base.account_sk = coverage.account_sk
    where coverage.actual_hours is not null and coverage.planned_hours > 0
    union all
    select
        base.account_sk,
        'coverage_overdue' as rule,
        -- whom nobody has ever reached has waited since it was created
        {{ ratio(
            'coalesce(coverage.days_since_last_touch, coverage.days_since_created)',
            'coverage.cadence_days'
        ) }} as observed,
        cast(null as double) as own_threshold
    from base
    inner join coverage on base.account_sk = coverage.account_sk
    where coverage.is_overdue is not null
)

select
    seen.account_sk,
    base.as_of,
    rules.rule,
    rules.reason,
    rules.reason_order,
    rules.unit,
    rules.comparison,
    seen.observed,
    coalesce(seen.own_threshold, cast(rules.threshold as double)) as threshold,
    cast(rules.high_threshold as double) as high_threshold,
    base.revenue,
    base.revenue_previous
from seen
inner join base on seen.account_sk = base.account_sk
inner join {{ ref('risk_rules') }} as rules on seen.rule = rules.rule
