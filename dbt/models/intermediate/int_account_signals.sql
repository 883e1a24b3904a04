with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

triggers as (
    select * from {{ ref('play_triggers') }}
),

described as (
    select * from {{ ref('int_account_tiers_described') }}
    where is_active and not is_excluded
),

decided as (
    select decided.*
    from {{ ref('int_account_raw_tiers') }} as decided
    inner join parameters on decided.as_of_index = parameters.as_of_month_index
),

moves as (
    select moves.*
    from {{ ref('int_tier_moves_explained') }} as moves
    inner join parameters on moves.as_of_index = parameters.as_of_month_index
),

opportunities as (
    select distinct members.account_sk
    from {{ ref('stg_crm__opportunities') }} as opportunities
    inner join parameters on opportunities.close_date >= parameters.as_of
    inner join {{ ref('int_account_members') }} as members
        on
            opportunities.source_system = members.source_system
            and opportunities.account_id = members.source_id
    where
        members.source_entity = 'accounts'
        and not opportunities.is_closed
        and not opportunities.is_won
),

-- each signal of the vocabulary play_triggers is one branch
signals as (
    select
        described.account_sk,
        'always' as play_trigger
    from described
    union all
    select
        described.account_sk,
        'at_risk_trend' as play_trigger
    from described
    inner join {{ ref('risk_rules') }} as rules on rules.rule = 'trend'
    where
        described.relationship = 'customer'
        and described.revenue_previous > 0
        and cast(described.revenue_previous as decimal(27, 4))
        * cast(1 - rules.threshold as decimal(7, 6))
        > described.revenue
    union all
    -- a falling trend is judged above by the same threshold, for every tier
    select
        reasons.account_sk,
        case reasons.reason
            when 'recency' then 'at_risk_recency'
            when 'margin_slide' then 'at_risk_margin'
            else 'at_risk_satisfaction'
        end as play_trigger
    from {{ ref('int_account_risk_reasons') }} as reasons
    where reasons.reason in ('recency', 'margin_slide', 'satisfaction')
    union all
    select
        coverage.account_sk,
        coverage.coverage_status as play_trigger
    from {{ ref('int_account_coverage') }} as coverage
    inner join described on coverage.account_sk = described.account_sk
    -- who does not buy is won first, and served afterwards
    where
        coverage.coverage_status in ('under_served', 'over_served')
        and described.relationship = 'customer'
    union all
    select
        described.account_sk,
        'unprofitable' as play_trigger
    from described
    cross join parameters
    where
        described.gross_margin < 0
        and cast(parameters.min_cost_coverage as decimal(7, 6))
        * cast(described.turnover as decimal(22, 4))
        <= described.costed_turnover
    union all
    select
        moves.account_sk,
        moves.direction as play_trigger
    from moves
    inner join described on moves.account_sk = described.account_sk
    where moves.direction in ('promoted', 'demoted') and described.relationship = 'customer'
    union all
    select
        described.account_sk,
        'new_customer' as play_trigger
    from described
    where described.is_new_customer
    union all
    select distinct
        whitespace.account_sk,
        'whitespace' as play_trigger
    from {{ ref('int_whitespace_estimated') }} as whitespace
    where whitespace.is_whitespace
    union all
    select
        opportunities.account_sk,
        'open_pipeline' as play_trigger
    from opportunities
    union all
    select
        described.account_sk,
        'prospect_high_potential' as play_trigger
    from described
    cross join parameters
    inner join decided on described.account_sk = decided.account_sk
    where
        described.first_invoice_date is null
        and (
            described.final_tier <> parameters.lowest_tier
            or decided.potential_tier <> parameters.lowest_tier
        )
    union all
    select
        described.account_sk,
        'former_customer' as play_trigger
    from described
    where described.relationship = 'former'
)

select
    signals.account_sk,
    signals.play_trigger,
    triggers.urgency
from signals
inner join described on signals.account_sk = described.account_sk
inner join triggers on signals.play_trigger = triggers.play_trigger
