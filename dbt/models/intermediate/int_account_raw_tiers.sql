{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted'},
) }}

{% set is_changed = in_changed_as_ofs('as_of_index', ref('int_as_ofs_fingerprinted')) %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

windows as (
    select * from {{ ref('int_account_windows') }}
    where {{ is_changed }}
),

value_tiers as (
    select * from {{ ref('int_account_scheme_tiers') }}
    where is_primary and {{ is_changed }}
),

potential_tiers as (
    select * from {{ ref('int_account_scheme_tiers') }}
    where scheme = 'potential' and {{ is_changed }}
),

matrix as (
    select * from {{ ref('tier_matrix') }}
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
large_and_unprofitable as (
    select distinct
        figures.account_sk,
        figures.as_of_index
    from {{ ref('int_classified_windows') }} as figures
    cross join parameters
    inner join {{ ref('int_account_scheme_tiers') }} as scheme_tiers
        on
            figures.account_sk = scheme_tiers.account_sk
            and figures.as_of_index = scheme_tiers.as_of_index
    inner join {{ ref('stg_run__schemes') }} as schemes on scheme_tiers.scheme = schemes.scheme
    where
        figures.gross_margin < 0
        and figures.costed_turnover
        >= parameters.min_cost_coverage * cast(figures.turnover as decimal(27, 4))
        and schemes.criterion = 'revenue'
        and scheme_tiers.tier <> schemes.lowest_tier
        and {{ in_changed_as_ofs('figures.as_of_index', ref('int_as_ofs_fingerprinted')) }}
),

-- where groups are classified, their sites inherit the tier; who is not ranked has none
classified as (
    select
        hierarchies.account_sk,
        case when not accounts.is_excluded then hierarchies.classified_account_sk end
            as classified_account_sk
    from {{ ref('int_account_hierarchies') }} as hierarchies
    inner join {{ ref('int_accounts') }} as accounts
        on hierarchies.account_sk = accounts.account_sk
),

valued as (
    select
        windows.account_sk,
        windows.as_of,
        windows.as_of_index,
        windows.revenue,
        cast(
            case when windows.line_count = 0 then 0 else windows.gross_margin end as decimal(18, 4)
        ) as gross_margin,
        windows.invoice_count,
        windows.first_invoice_date,
        value_tiers.tier as value_tier,
        value_tiers.tier_rank as value_tier_rank,
        value_tiers.value,
        value_tiers.population as value_population,
        value_tiers.tier_reason as value_tier_reason,
        case
            when potential_tiers.value is not null and matrix_tiers.potential_tier is not null
                then potential_tiers.tier
        end as potential_tier,
        lowest.tier as lowest_tier,
        lowest.tier_rank as lowest_tier_rank,
        large_and_unprofitable.account_sk is not null as is_large_and_unprofitable
    from windows
    cross join lowest
    inner join classified on windows.account_sk = classified.account_sk
    left join value_tiers
        on
            classified.classified_account_sk = value_tiers.account_sk
            and windows.as_of_index = value_tiers.as_of_index
    left join potential_tiers
        on
            classified.classified_account_sk = potential_tiers.account_sk
            and windows.as_of_index = potential_tiers.as_of_index
    left join (select distinct matrix.potential_tier from matrix) as matrix_tiers
        on potential_tiers.tier = matrix_tiers.potential_tier
    left join large_and_unprofitable
        on
            classified.classified_account_sk = large_and_unprofitable.account_sk
            and windows.as_of_index = large_and_unprofitable.as_of_index
),

-- a tier that the matrix does not know stays as it is
decided as (
    select
        valued.account_sk,
        valued.as_of,
        valued.as_of_index,
        valued.revenue,
        valued.gross_margin,
        valued.invoice_count,
        valued.value_tier,
        valued.value_tier_rank,
        valued.value,
        valued.value_population,
        valued.value_tier_reason,
        valued.lowest_tier_rank,
        coalesce(tiers.tier, valued.value_tier, valued.lowest_tier) as raw_tier,
        coalesce(tiers.tier_rank, valued.value_tier_rank, valued.lowest_tier_rank) as raw_tier_rank,
        valued.potential_tier,
        valued.is_large_and_unprofitable,
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
)

select
    decided.*,
    as_ofs.input_fingerprint
from decided
inner join {{ ref('int_as_ofs_fingerprinted') }} as as_ofs on decided.as_of = as_ofs.as_of
