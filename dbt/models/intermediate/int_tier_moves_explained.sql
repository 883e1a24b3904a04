with moves as (
    select * from {{ ref('int_tier_moves_found') }}
),

matrix as (
    select * from {{ ref('tier_matrix') }}
),

tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank,
        max(cut_points.tier_rank) over () as lowest_tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__parameters') }} as parameters
        on cut_points.scheme = parameters.primary_scheme
),

-- the tier that the account would have had with today's value in the portfolio of then, with the
-- potential of then and with that of today
alternatives as (
    select
        moves.account_sk,
        moves.as_of_index,
        coalesce(matrix_then_tiers.tier_rank, value_tiers.tier_rank)
            as tier_rank_with_potential_of_then,
        coalesce(matrix_today_tiers.tier_rank, value_tiers.tier_rank)
            as tier_rank_with_potential_of_today
    from moves
    left join {{ ref('int_tier_moves_replayed') }} as replayed
        on
            moves.account_sk = replayed.account_sk
            and moves.as_of_index = replayed.as_of_index
    inner join tiers as value_tiers
        on coalesce(replayed.value_tier_rank, value_tiers.lowest_tier_rank) = value_tiers.tier_rank
    {% for name, potential_tier in [
        ('then', 'moves.reference_potential_tier'), ('today', 'moves.potential_tier'),
    ] %}
        left join matrix as matrix_{{ name }}
            on
                value_tiers.tier = matrix_{{ name }}.value_tier
                and coalesce({{ potential_tier }}, 'none') = matrix_{{ name }}.potential_tier
        left join tiers as matrix_{{ name }}_tiers
            on matrix_{{ name }}.final_tier = matrix_{{ name }}_tiers.tier
    {% endfor %}
),

directed as (
    select
        moves.*,
        alternatives.tier_rank_with_potential_of_then,
        alternatives.tier_rank_with_potential_of_today,
        case
            when moves.from_tier is null then 'appeared'
            when moves.to_tier_rank < moves.from_tier_rank then 'promoted'
            else 'demoted'
        end as direction
    from moves
    inner join alternatives
        on
            moves.account_sk = alternatives.account_sk
            and moves.as_of_index = alternatives.as_of_index
)

select
    directed.account_sk,
    directed.account_key,
    directed.as_of,
    directed.as_of_index,
    directed.from_tier,
    directed.to_tier,
    directed.direction,
    directed.from_value,
    directed.to_value,
    case
        when directed.from_tier is null then 'new_account'
        when
            coalesce(directed.from_override_tier, '') <> coalesce(directed.to_override_tier, '')
            then 'override'
        {% for column, cause in [
            ('tier_rank_with_potential_of_then', 'own_value'),
            ('tier_rank_with_potential_of_today', 'potential'),
        ] %}
            -- a move the other way would be no cause of this one
            when
                (
                    directed.direction = 'promoted'
                    and directed.{{ column }} < directed.from_stable_tier_rank
                )
                or (
                    directed.direction = 'demoted'
                    and directed.{{ column }} > directed.from_stable_tier_rank
                )
                then '{{ cause }}'
        {% endfor %}
        else 'portfolio'
    end as move_cause
from directed
