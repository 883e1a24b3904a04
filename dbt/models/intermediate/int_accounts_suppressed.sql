with suppressions as (
    select * from {{ ref('int_suppressions_normalised') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

identifiers as (
    select * from {{ ref('int_identity_identifiers') }}
    where kind = 'domain'
),

-- unlike an override, which names the CRM account first, a suppression silences all that it fits
named as (
    {{ account_names('members') }}
),

by_account as (
    select
        named.account_sk,
        'account' as suppressed_by
    from suppressions
    inner join named on suppressions.account_id = named.name
),

-- accounts are known by their registrable domains: mail.shop.example.com is of example.com
by_domain as (
    select
        members.account_sk,
        'domain' as suppressed_by
    from identifiers
    inner join suppressions on identifiers.normalised = suppressions.domain
    inner join members
        on
            identifiers.source_system = members.source_system
            and identifiers.source_entity = members.source_entity
            and identifiers.source_id = members.source_id
),

found as (
    select * from by_account
    union all
    select * from by_domain
)

select
    found.account_sk,
    min(found.suppressed_by) as suppressed_by
from found
group by found.account_sk
