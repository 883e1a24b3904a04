{# read where it is needed: DuckDB keeps a CTE that is read more than once, with all its columns #}
{% set finalised = ref('int_account_final_tiers') %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

moves as (
    select
        today.account_sk,
        today.account_key,
        today.as_of,
        today.as_of_index,
        before.final_tier as from_tier,
        before.final_tier_rank as from_tier_rank,
        before.stable_tier_rank as from_stable_tier_rank,
        before.override_tier as from_override_tier,
        before.value as from_value,
        today.final_tier as to_tier,
        today.final_tier_rank as to_tier_rank,
        today.override_tier as to_override_tier,
        today.value as to_value,
        today.value_population,
        today.potential_tier
    from {{ finalised }} as today
    cross join parameters
    left join {{ finalised }} as before
        on today.account_sk = before.account_sk and today.as_of_index - 1 = before.as_of_index
    where
        (before.final_tier is null or before.final_tier <> today.final_tier)
        and today.as_of_index > parameters.as_of_month_index - parameters.history_months
),

-- the month whose portfolio the account is put into: last month, or, where patience held a demotion
-- back, the last month in which the account was still in its old tier
reference_months as (
    select
        moves.account_sk,
        moves.as_of_index,
        max(lookback.as_of_index) as reference_index
    from moves
    inner join {{ finalised }} as lookback
        on
            moves.account_sk = lookback.account_sk
            and moves.as_of_index > lookback.as_of_index
            and moves.from_stable_tier_rank = lookback.raw_tier_rank
    group by moves.account_sk, moves.as_of_index
)

select
    moves.account_sk,
    moves.account_key,
    moves.as_of,
    moves.as_of_index,
    moves.from_tier,
    moves.from_tier_rank,
    moves.from_stable_tier_rank,
    moves.from_override_tier,
    moves.from_value,
    moves.to_tier,
    moves.to_tier_rank,
    moves.to_override_tier,
    moves.to_value,
    moves.value_population,
    moves.potential_tier,
    reference_months.reference_index,
    reference.potential_tier as reference_potential_tier,
    -- what the account itself put into the portfolio that it is put into again
    case
        when reference.value > 0 and reference.value_population = moves.value_population
            then reference.value
    end as reference_value
from moves
left join reference_months
    on
        moves.account_sk = reference_months.account_sk
        and moves.as_of_index = reference_months.as_of_index
left join {{ finalised }} as reference
    on
        moves.account_sk = reference.account_sk
        and reference_months.reference_index = reference.as_of_index
