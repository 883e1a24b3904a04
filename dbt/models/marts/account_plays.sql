select
    ranked.account_key,
    ranked.play_rank,
    ranked.play_id,
    ranked.play_trigger,
    ranked.play_kind
from {{ ref('int_account_plays_ranked') }} as ranked
