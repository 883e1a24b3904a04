{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_looked_back', 'spans': true},
) }}

{% set schemes = ['revenue', 'gross_margin'] %}
{% set is_changed = in_changed_as_ofs(
    'raw_tiers.as_of_index', ref('int_as_ofs_looked_back')
) %}
{% set is_changed_of_schemes = in_changed_as_ofs(
    'scheme_tiers.as_of_index', ref('int_as_ofs_looked_back')
) %}

with accounts as (
    select * from {{ ref('int_accounts') }}
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

-- the best tier that patience still grants to who has fallen below it (who stood in the lowest one
-- has fallen from nowhere: said apart, it keeps most accounts out of the join)
held as (
    select
        raw_tiers.account_sk,
        raw_tiers.as_of_index,
        min(lookback.raw_tier_rank) as held_tier_rank
    from {{ ref('int_account_raw_tiers') }} as raw_tiers
    inner join {{ ref('int_account_raw_tiers') }} as lookback
        on
            raw_tiers.account_sk = lookback.account_sk
            and raw_tiers.raw_tier_rank > lookback.raw_tier_rank
            and lookback.as_of_index between raw_tiers.as_of_index - raw_tiers.patience_months + 1
            and raw_tiers.as_of_index
    where
        lookback.raw_tier_rank < lookback.lowest_tier_rank
        and {{ is_changed }}
    group by raw_tiers.account_sk, raw_tiers.as_of_index
),

{% for scheme in schemes %}
    {{ scheme }}_tiers as (
        select
            scheme_tiers.account_sk,
            scheme_tiers.as_of_index,
            scheme_tiers.tier,
            scheme_tiers.share,
            scheme_tiers.share_before,
            scheme_tiers.distance
        from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
        where
            scheme_tiers.scheme = '{{ scheme }}'
            and {{ is_changed_of_schemes }}
    ),
{% endfor %}

-- the large tables meet first: later DuckDB would keep the wider side of the join in memory
decided as (
    select
        raw_tiers.*,
        coalesce(held.held_tier_rank, raw_tiers.raw_tier_rank) as stable_tier_rank,
    {% for scheme in schemes %}
        {{ scheme }}_tiers.share as {{ scheme }}_share,
        {{ scheme }}_tiers.share_before as {{ scheme }}_share_before,
        {{ scheme }}_tiers.tier as {{ scheme }}_tier,
        {{ scheme }}_tiers.distance as {{ scheme }}_distance{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_account_raw_tiers') }} as raw_tiers
    {% for scheme in schemes %}
        left join {{ scheme }}_tiers
            on
                raw_tiers.account_sk = {{ scheme }}_tiers.account_sk
                and raw_tiers.as_of_index = {{ scheme }}_tiers.as_of_index
    {% endfor %}
    left join held
        on
            raw_tiers.account_sk = held.account_sk
            and raw_tiers.as_of_index = held.as_of_index
    where {{ is_changed }}
),

overridden as (
    select ranked.*
    from (
        select
            overrides.account_sk,
            raw_tiers.as_of_index,
            overrides.override_tier,
            overrides.override_tier_rank,
            overrides.reason as override_reason,
            overrides.owner as override_owner,
            overrides.valid_from as override_valid_from,
            overrides.valid_to as override_valid_to,
            row_number() over (
                partition by overrides.account_sk, raw_tiers.as_of_index
                order by
                    overrides.valid_from desc, overrides.valid_to desc, overrides.override_tier_rank
            ) as override_order
        from overrides
        inner join {{ ref('int_account_raw_tiers') }} as raw_tiers
            on
                overrides.account_sk = raw_tiers.account_sk
                and raw_tiers.as_of between overrides.valid_from and overrides.valid_to
        where {{ is_changed }}
    ) as ranked
    where ranked.override_order = 1
),

finalised as (
    select
        decided.account_sk,
        accounts.account_key,
        decided.as_of,
        decided.as_of_index,
        {{ month_start('decided.as_of_index - 1') }} as month,
        decided.revenue,
        decided.gross_margin,
        decided.invoice_count,
        {% for scheme in schemes %}
            decided.{{ scheme }}_share,
            decided.{{ scheme }}_share_before,
            decided.{{ scheme }}_tier,
            decided.{{ scheme }}_distance,
        {% endfor %}
        decided.value,
        decided.value_tier,
        decided.value_tier_rank,
        decided.value_population,
        decided.value_tier_reason,
        decided.potential_tier,
        case when not accounts.is_excluded then decided.raw_tier end as raw_tier,
        decided.raw_tier_rank,
        case when not accounts.is_excluded then stable_tiers.tier end as stable_tier,
        decided.stable_tier_rank,
        overridden.override_tier,
        overridden.override_reason,
        overridden.override_owner,
        overridden.override_valid_from,
        overridden.override_valid_to,
        coalesce(overridden.override_tier, stable_tiers.tier) as final_tier,
        coalesce(overridden.override_tier_rank, decided.stable_tier_rank) as final_tier_rank,
        -- the posture is that of the tier in the end, by override or patience too
        case
            when decided.is_large_and_unprofitable then 'fix'
            when
                decided.value is null
                and decided.value_tier_reason = 'no_sales'
                and coalesce(overridden.override_tier_rank, decided.stable_tier_rank)
                < decided.lowest_tier_rank
                then 'win'
            -- where the table's own tier stands in the end, its posture does
            when coalesce(overridden.override_tier, stable_tiers.tier) = cells.final_tier
                then cells.posture
            when postures.posture is not null then postures.posture
            -- a tier that the matrix does not know has the posture of its place
            when coalesce(overridden.override_tier_rank, decided.stable_tier_rank) = 1 then 'defend'
            when
                coalesce(overridden.override_tier_rank, decided.stable_tier_rank)
                < decided.lowest_tier_rank
                then 'maintain'
            else 'serve lean'
        end as posture,
        decided.is_new_customer,
        decided.patience_months
    from decided
    inner join accounts on decided.account_sk = accounts.account_sk
    inner join tiers as stable_tiers on decided.stable_tier_rank = stable_tiers.tier_rank
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
