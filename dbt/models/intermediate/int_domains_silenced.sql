with accounts as (
    select * from {{ ref('int_accounts_suppressed') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

identifiers as (
    select * from {{ ref('int_identity_identifiers') }}
    where kind = 'domain'
)

select distinct identifiers.normalised as domain
from accounts
inner join members on accounts.account_sk = members.account_sk
inner join identifiers
    on
        members.source_system = identifiers.source_system
        and members.source_entity = identifiers.source_entity
        and members.source_id = identifiers.source_id
