{# read where it is needed: DuckDB keeps a CTE that is read more than once, with all its columns #}
{% set finalised = ref('int_account_final_tiers') %}

with matrix as (
    select * from {{ ref('tier_matrix') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank,
        max(cut_points.tier_rank) over () as lowest_tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join parameters on cut_points.scheme = parameters.primary_scheme
),

-- the lines of the primary scheme, month by month: the smallest value in each tier
lines as (
    select
        scheme_tiers.as_of_index,
        scheme_tiers.population,
        scheme_tiers.tier_rank,
        min(scheme_tiers.value) as entry_value
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    where scheme_tiers.is_primary and scheme_tiers.value > 0
    group by scheme_tiers.as_of_index, scheme_tiers.population, scheme_tiers.tier_rank
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

-- the month whose lines the account is held against: last month, or, where patience held a demotion
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
),

held_against as (
    select
        moves.account_sk,
        moves.as_of_index,
        min(lines.tier_rank) as tier_rank_then
    from moves
    inner join reference_months
        on
            moves.account_sk = reference_months.account_sk
            and moves.as_of_index = reference_months.as_of_index
    inner join lines
        on
            reference_months.reference_index = lines.as_of_index
            and moves.value_population = lines.population
    where moves.to_value > 0 and lines.entry_value <= moves.to_value
    group by moves.account_sk, moves.as_of_index
),

-- the tier that the account would have, held against the lines of then, with the potential of then
-- and with that of today
alternatives as (
    select
        moves.account_sk,
        moves.as_of_index,
        reference_months.reference_index,
        coalesce(matrix_then_tiers.tier_rank, value_tiers.tier_rank)
            as tier_rank_with_potential_of_then,
        coalesce(matrix_today_tiers.tier_rank, value_tiers.tier_rank)
            as tier_rank_with_potential_of_today
    from moves
    left join reference_months
        on
            moves.account_sk = reference_months.account_sk
            and moves.as_of_index = reference_months.as_of_index
    left join {{ finalised }} as reference
        on
            moves.account_sk = reference.account_sk
            and reference_months.reference_index = reference.as_of_index
    left join held_against
        on
            moves.account_sk = held_against.account_sk
            and moves.as_of_index = held_against.as_of_index
    inner join tiers as value_tiers
        on
            coalesce(held_against.tier_rank_then, value_tiers.lowest_tier_rank)
            = value_tiers.tier_rank
    {% for name, potential_tier in [
        ('then', 'reference.potential_tier'), ('today', 'moves.potential_tier'),
    ] %}
        left join matrix as matrix_{{ name }}
            on
                value_tiers.tier = matrix_{{ name }}.value_tier
                and coalesce({{ potential_tier }}, 'none') = matrix_{{ name }}.potential_tier
        left join tiers as matrix_{{ name }}_tiers
            on matrix_{{ name }}.final_tier = matrix_{{ name }}_tiers.tier
    {% endfor %}
),

explained as (
    select
        moves.account_sk,
        moves.account_key,
        moves.as_of,
        moves.as_of_index,
        moves.from_tier,
        moves.to_tier,
        case
            when moves.from_tier is null then 'appeared'
            when moves.to_tier_rank < moves.from_tier_rank then 'promoted'
            else 'demoted'
        end as direction,
        moves.from_value,
        moves.to_value,
        case
            when moves.from_tier is null then 'new_account'
            when
                coalesce(moves.from_override_tier, '') <> coalesce(moves.to_override_tier, '')
                then 'override'
            -- no line was drawn in the month before: nobody else can have moved one
            when drawn.as_of_index is null then 'own_value'
            when alternatives.tier_rank_with_potential_of_then <> moves.from_stable_tier_rank
                then 'own_value'
            when alternatives.tier_rank_with_potential_of_today <> moves.from_stable_tier_rank
                then 'potential'
            else 'portfolio'
        end as move_cause
    from moves
    inner join alternatives
        on
            moves.account_sk = alternatives.account_sk
            and moves.as_of_index = alternatives.as_of_index
    left join (
        select distinct lines.as_of_index
        from lines
    ) as drawn on alternatives.reference_index = drawn.as_of_index
)

select * from explained
