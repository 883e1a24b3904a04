with overrides as (
    select * from {{ ref('stg_governance__tier_overrides') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join parameters on cut_points.scheme = parameters.primary_scheme
),

-- an account is named by its CRM id, by its ERP id, by `system:id` or by its key; a name that fits
-- more than one account names none
names as (
    select
        named.name,
        min(named.account_sk) as account_sk
    from (
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
    ) as named
    group by named.name
    having count(distinct named.account_sk) = 1
),

resolved as (
    select
        overrides.source_system,
        overrides.account_id,
        names.account_sk,
        overrides.tier as override_tier,
        tiers.tier_rank as override_tier_rank,
        overrides.reason,
        overrides.owner,
        overrides.valid_from,
        overrides.valid_to,
        case
            when names.account_sk is null then 'orphan'
            when tiers.tier_rank is null then 'unknown_tier'
            when overrides.valid_to < overrides.valid_from then 'ends_before_it_starts'
        end as problem
    from overrides
    left join names on overrides.account_id = names.name
    left join tiers on overrides.tier = tiers.tier
)

select * from resolved
