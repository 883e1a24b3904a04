select
    moves.account_key,
    moves.as_of,
    {{ month_start('moves.as_of_index - 1') }} as month,
    'monthly' as move_kind,
    cast(moves.as_of as timestamp) as moved_at,
    moves.from_tier,
    moves.to_tier,
    moves.direction,
    moves.move_cause,
    cast(moves.from_value as decimal(18, 4)) as from_value,
    cast(moves.to_value as decimal(18, 4)) as to_value
from {{ ref('int_tier_moves_explained') }} as moves
union all
select
    restatements.account_key,
    restatements.as_of,
    {{ month_start('year(restatements.as_of) * 12 + month(restatements.as_of) - 1') }} as month,
    'restated' as move_kind,
    restatements.published_at as moved_at,
    restatements.from_tier,
    restatements.to_tier,
    restatements.direction,
    restatements.move_cause,
    restatements.from_value,
    restatements.to_value
from {{ ref('int_tier_restatements_explained') }} as restatements
-- the account may be gone since
inner join {{ ref('account_tiers') }} as accounts
    on restatements.account_key = accounts.account_key
