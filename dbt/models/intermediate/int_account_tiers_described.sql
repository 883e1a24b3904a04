with accounts as (
    select * from {{ ref('int_accounts') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

finalised as (
    select final_tiers.*
    from {{ ref('int_account_final_tiers') }} as final_tiers
    inner join parameters on final_tiers.as_of = parameters.as_of
),

windows as (
    select windows.*
    from {{ ref('int_account_windows') }} as windows
    inner join parameters on windows.as_of = parameters.as_of
),

hierarchies as (
    select * from {{ ref('int_account_hierarchies') }}
),

ranks as (
    select * from {{ ref('int_account_scheme_ranks') }}
),

before as (
    select
        final_tiers.account_sk,
        final_tiers.final_tier
    from {{ ref('int_account_final_tiers') }} as final_tiers
    inner join parameters on final_tiers.as_of_index = parameters.as_of_month_index - 1
),

moves as (
    select moves.*
    from {{ ref('int_tier_moves_explained') }} as moves
    inner join parameters on moves.as_of = parameters.as_of
),

described as (
    select
        accounts.*,
        windows.as_of,
        parents.account_key as parent_account_key,
        ultimate_parents.account_key as ultimate_parent_account_key,
        windows.revenue,
        windows.revenue_previous,
        windows.gross_margin,
        windows.costed_revenue,
        windows.turnover,
        windows.costed_turnover,
        windows.line_count,
        windows.invoice_count,
        windows.active_months,
        windows.first_invoice_date,
        windows.last_invoice_date,
        finalised.value,
        finalised.value_tier,
        finalised.value_tier_reason,
        finalised.raw_tier,
        finalised.stable_tier,
        finalised.override_tier,
        finalised.override_reason,
        finalised.override_owner,
        finalised.override_valid_to,
        finalised.final_tier,
        finalised.posture,
        finalised.is_new_customer,
        before.final_tier as previous_tier,
        moves.move_cause,
        primary_ranks.value_rank,
        primary_ranks.share_before,
        parameters.primary_scheme,
        parameters.reporting_currency,
        parameters.demotion_patience_months as patience_months
    from accounts
    cross join parameters
    inner join windows on accounts.account_sk = windows.account_sk
    inner join finalised on accounts.account_sk = finalised.account_sk
    inner join hierarchies on accounts.account_sk = hierarchies.account_sk
    inner join accounts as ultimate_parents
        on hierarchies.ultimate_parent_account_sk = ultimate_parents.account_sk
    left join accounts as parents on hierarchies.parent_account_sk = parents.account_sk
    left join ranks as primary_ranks
        on
            accounts.account_sk = primary_ranks.account_sk
            and parameters.primary_scheme = primary_ranks.scheme
    left join before on accounts.account_sk = before.account_sk
    left join moves on accounts.account_sk = moves.account_sk
)

select
    described.*,
    case
        when described.invoice_count > 0 then 'customer'
        when described.first_invoice_date is not null then 'former'
        when described.crm_account_type in ('prospect', 'partner') then described.crm_account_type
        else 'other'
    end as relationship,
    {{ tier_sentence() }} as tier_reason
from described
