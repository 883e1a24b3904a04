select
    members.member_key as alias_key,
    members.account_key
from {{ ref('int_account_members') }} as members
where members.member_key <> members.account_key
