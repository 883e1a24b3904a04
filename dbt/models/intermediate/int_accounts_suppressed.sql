with suppressions as (
    select * from {{ ref('stg_governance__suppressions') }}
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
    select
        source_id as name,
        account_sk
    from members
    union all
    select
        concat(source_system, ':', source_id) as name,
        account_sk
    from members
    union all
    select
        member_key as name,
        account_sk
    from members
),

by_account as (
    select
        named.account_sk,
        'account' as suppressed_by
    from suppressions
    inner join named on suppressions.account_id = named.name
),

hosts as (
    select distinct {{ host_of('domain') }} as host
    from suppressions
    where domain is not null
),

suppressed_domains as (
    {{ domains_silenced_by('hosts') }}
),

by_domain as (
    select
        members.account_sk,
        'domain' as suppressed_by
    from identifiers
    inner join suppressed_domains on identifiers.normalised = suppressed_domains.domain
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
