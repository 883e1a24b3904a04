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

-- a name that fits more than one account names none
named as (
    {{ account_names('members') }}
),

ranked_names as (
    select
        named.name,
        named.account_sk,
        rank() over (partition by named.name order by named.name_order) as name_rank
    from named
),

names as (
    select
        ranked_names.name,
        min(ranked_names.account_sk) as account_sk
    from ranked_names
    where ranked_names.name_rank = 1
    group by ranked_names.name
    having count(distinct ranked_names.account_sk) = 1
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
