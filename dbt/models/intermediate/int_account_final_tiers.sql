with accounts as (
    select * from {{ ref('int_accounts') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

windows as (
    select * from {{ ref('int_account_windows') }}
),

scheme_tiers as (
    select * from {{ ref('int_account_scheme_tiers') }}
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
        cut_points.tier_rank,
        max(cut_points.tier_rank) over () as lowest_tier_rank
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join parameters on cut_points.scheme = parameters.primary_scheme
),

lowest as (
    select
        tiers.tier,
        tiers.tier_rank
    from tiers
    where tiers.tier_rank = tiers.lowest_tier_rank
),

-- above the lowest tier by revenue, whatever the primary scheme is
large as (
    select
        scheme_tiers.account_sk,
        scheme_tiers.as_of
    from scheme_tiers
    inner join {{ ref('stg_run__schemes') }} as schemes on scheme_tiers.scheme = schemes.scheme
    where schemes.scheme = 'revenue' and scheme_tiers.tier <> schemes.lowest_tier
),

-- potential is not computed yet: the matrix is entered by its row `none`
valued as (
    select
        windows.account_sk,
        windows.as_of,
        windows.as_of_index,
        windows.first_invoice_date,
        windows.gross_margin,
        scheme_tiers.tier as value_tier,
        scheme_tiers.tier_rank as value_tier_rank,
        scheme_tiers.value,
        scheme_tiers.tier_reason as value_tier_reason,
        cast(null as string) as potential_tier,
        lowest.tier as lowest_tier,
        lowest.tier_rank as lowest_tier_rank,
        large.account_sk is not null as is_large
    from windows
    cross join lowest
    left join scheme_tiers
        on
            windows.account_sk = scheme_tiers.account_sk
            and windows.as_of = scheme_tiers.as_of
            and scheme_tiers.is_primary
    left join large on windows.account_sk = large.account_sk and windows.as_of = large.as_of
),

-- a tier that the matrix does not know stays as it is
decided as (
    select
        valued.account_sk,
        valued.as_of,
        valued.as_of_index,
        valued.value_tier,
        valued.value_tier_rank,
        valued.value,
        valued.value_tier_reason,
        valued.lowest_tier_rank,
        coalesce(tiers.tier, valued.value_tier, valued.lowest_tier) as raw_tier,
        coalesce(tiers.tier_rank, valued.value_tier_rank, valued.lowest_tier_rank) as raw_tier_rank,
        valued.potential_tier,
        coalesce(valued.gross_margin < 0 and valued.is_large, false) as is_large_and_unprofitable,
        coalesce(
            valued.first_invoice_date
            > {{ month_start('valued.as_of_index - parameters.new_customer_months') }},
            false
        ) as is_new_customer,
        -- a new customer's short history does not demote it: its patience reaches back to its first
        -- invoice
        case
            when
                valued.first_invoice_date
                > {{ month_start('valued.as_of_index - parameters.new_customer_months') }}
                then greatest(
                    parameters.demotion_patience_months,
                    valued.as_of_index
                    - (year(valued.first_invoice_date) * 12 + month(valued.first_invoice_date))
                )
            else parameters.demotion_patience_months
        end as patience_months
    from valued
    cross join parameters
    left join matrix
        on
            valued.value_tier = matrix.value_tier
            and coalesce(valued.potential_tier, 'none') = matrix.potential_tier
    left join tiers on matrix.final_tier = tiers.tier
),

stable as (
    select
        decided.account_sk,
        decided.as_of_index,
        min(lookback.raw_tier_rank) as stable_tier_rank
    from decided
    inner join decided as lookback
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
            windows.as_of_index,
            overrides.override_tier,
            overrides.override_tier_rank,
            overrides.reason as override_reason,
            overrides.owner as override_owner,
            overrides.valid_from as override_valid_from,
            overrides.valid_to as override_valid_to,
            row_number() over (
                partition by overrides.account_sk, windows.as_of_index
                order by
                    overrides.valid_from desc, overrides.valid_to desc, overrides.override_tier_rank
            ) as override_order
        from overrides
        inner join windows
            on
                overrides.account_sk = windows.account_sk
                and windows.as_of between overrides.valid_from and overrides.valid_to
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
        decided.value_tier_reason,
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
            when postures.posture is not null then postures.posture
            -- a tier that the matrix does not know has the posture of its place
            when coalesce(overridden.override_tier_rank, stable.stable_tier_rank) = 1 then 'defend'
            when
                coalesce(overridden.override_tier_rank, stable.stable_tier_rank)
                < decided.lowest_tier_rank
                then 'maintain'
            else 'serve lean'
        end as posture,
        decided.is_new_customer
    from decided
    inner join accounts on decided.account_sk = accounts.account_sk
    inner join stable
        on decided.account_sk = stable.account_sk and decided.as_of_index = stable.as_of_index
    inner join tiers as stable_tiers on stable.stable_tier_rank = stable_tiers.tier_rank
    left join overridden
        on
            decided.account_sk = overridden.account_sk
            and decided.as_of_index = overridden.as_of_index
    left join matrix as postures
        on
            coalesce(overridden.override_tier, stable_tiers.tier) = postures.value_tier
            and coalesce(decided.potential_tier, 'none') = postures.potential_tier
)

select * from finalised
