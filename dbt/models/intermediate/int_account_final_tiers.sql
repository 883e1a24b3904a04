{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_looked_back'},
) }}

with accounts as (
    select * from {{ ref('int_accounts') }}
),

raw_tiers as (
    select * from {{ ref('int_account_raw_tiers') }}
),

decided as (
    select * from {{ ref('int_account_raw_tiers') }}
    where {{ in_changed_as_ofs('as_of_index', ref('int_as_ofs_looked_back')) }}
),

matrix as (
    select * from {{ ref('tier_matrix') }}
),

overrides as (
    select * from {{ ref('int_overrides_dated') }}
    where problem is null
),

tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join {{ ref('stg_run__parameters') }} as parameters
        on cut_points.scheme = parameters.primary_scheme
),

stable as (
    select
        decided.account_sk,
        decided.as_of_index,
        min(lookback.raw_tier_rank) as stable_tier_rank
    from decided
    inner join raw_tiers as lookback
        on
            decided.account_sk = lookback.account_sk
            and lookback.as_of_index between decided.as_of_index - decided.patience_months + 1
            and decided.as_of_index
    group by decided.account_sk, decided.as_of_index
),

overridden as (
    select ranked.*
    from (
        select
            overrides.account_sk,
            decided.as_of_index,
            overrides.override_tier,
            overrides.override_tier_rank,
            overrides.reason as override_reason,
            overrides.owner as override_owner,
            overrides.valid_from as override_valid_from,
            overrides.valid_to as override_valid_to,
            row_number() over (
                partition by overrides.account_sk, decided.as_of_index
                order by
                    overrides.valid_from desc, overrides.valid_to desc, overrides.override_tier_rank
            ) as override_order
        from overrides
        inner join decided
            on
                overrides.account_sk = decided.account_sk
                and decided.as_of between overrides.valid_from and overrides.valid_to
    ) as ranked
    where ranked.override_order = 1
),

finalised as (
    select
        decided.account_sk,
        accounts.account_key,
        decided.as_of,
        decided.as_of_index,
        decided.value,
        decided.value_tier,
        decided.value_tier_rank,
        decided.value_population,
        decided.value_tier_reason,
        decided.potential_tier,
        case when not accounts.is_excluded then decided.raw_tier end as raw_tier,
        decided.raw_tier_rank,
        case when not accounts.is_excluded then stable_tiers.tier end as stable_tier,
        stable.stable_tier_rank,
        overridden.override_tier,
        overridden.override_reason,
        overridden.override_owner,
        overridden.override_valid_from,
        overridden.override_valid_to,
        coalesce(overridden.override_tier, stable_tiers.tier) as final_tier,
        coalesce(overridden.override_tier_rank, stable.stable_tier_rank) as final_tier_rank,
        -- the posture is that of the tier in the end, by override or patience too
        case
            when decided.is_large_and_unprofitable then 'fix'
            when
                decided.value is null
                and decided.value_tier_reason = 'no_sales'
                and coalesce(overridden.override_tier_rank, stable.stable_tier_rank)
                < decided.lowest_tier_rank
                then 'win'
            -- where the table's own tier stands in the end, its posture does
            when coalesce(overridden.override_tier, stable_tiers.tier) = cells.final_tier
                then cells.posture
            when postures.posture is not null then postures.posture
            -- a tier that the matrix does not know has the posture of its place
            when coalesce(overridden.override_tier_rank, stable.stable_tier_rank) = 1 then 'defend'
            when
                coalesce(overridden.override_tier_rank, stable.stable_tier_rank)
                < decided.lowest_tier_rank
                then 'maintain'
            else 'serve lean'
        end as posture,
        decided.is_new_customer,
        decided.patience_months
    from decided
    inner join accounts on decided.account_sk = accounts.account_sk
    inner join stable
        on decided.account_sk = stable.account_sk and decided.as_of_index = stable.as_of_index
    inner join tiers as stable_tiers on stable.stable_tier_rank = stable_tiers.tier_rank
    left join overridden
        on
            decided.account_sk = overridden.account_sk
            and decided.as_of_index = overridden.as_of_index
    left join matrix as cells
        on
            decided.value_tier = cells.value_tier
            and coalesce(decided.potential_tier, 'none') = cells.potential_tier
    left join matrix as postures
        on
            coalesce(overridden.override_tier, stable_tiers.tier) = postures.value_tier
            and coalesce(decided.potential_tier, 'none') = postures.potential_tier
)

select
    finalised.*,
    as_ofs.input_fingerprint
from finalised
inner join {{ ref('int_as_ofs_looked_back') }} as as_ofs on finalised.as_of = as_ofs.as_of
