select
    published.as_of,
    published.account_key,
    published.published_at,
    published.final_tier,
    published.value,
    published.value_tier,
    published.potential_tier,
    published.stable_tier,
    published.override_tier,
    published.posture,
    published.members_hash,
    published.rules_hash
from {{ ref('int_tiers_published') }} as published
