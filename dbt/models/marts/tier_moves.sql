select
    moves.account_key,
    moves.as_of,
    {{ month_start('moves.as_of_index - 1') }} as month,
    moves.from_tier,
    moves.to_tier,
    moves.direction,
    moves.move_cause,
    cast(moves.from_value as decimal(18, 4)) as from_value,
    cast(moves.to_value as decimal(18, 4)) as to_value
from {{ ref('int_tier_moves_explained') }} as moves
