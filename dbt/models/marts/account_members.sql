select
    members.account_key,
    members.source_system,
    members.source_entity,
    members.source_id,
    members.match_rule,
    cast(members.match_confidence as decimal(4, 3)) as match_confidence,
    members.member_key = members.account_key as is_survivor
from {{ ref('int_account_members') }} as members
