{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted'},
) }}

{% set is_changed = in_changed_as_ofs('as_of_index', ref('int_as_ofs_fingerprinted')) %}

with windows as (
    select * from {{ ref('int_account_windows') }}
    where {{ is_changed }}
),

pipelines as (
    select * from {{ ref('int_account_pipelines') }}
    where {{ is_changed }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

valued as (
    select
        windows.account_sk,
        windows.as_of_index,
        windows.as_of,
        accounts.industry,
        accounts.size_band,
        accounts.is_excluded,
        accounts.declared_potential,
        coalesce(accounts.potential_currency, parameters.reporting_currency) as potential_currency,
        {{ add_days('windows.as_of', -1) }} as rate_for,
        {{ per_year('greatest(windows.revenue, 0)', 'parameters.window_months') }} as revenue,
        {{ per_year('pipelines.weighted_amount', 'parameters.horizon_months') }} as pipeline
    from windows
    inner join accounts on windows.account_sk = accounts.account_sk
    cross join parameters
    left join pipelines
        on
            windows.account_sk = pipelines.account_sk
            and windows.as_of_index = pipelines.as_of_index
),

-- the customers of a segment, the smallest first
segments as (
    select
        valued.industry,
        valued.size_band,
        valued.as_of_index,
        valued.revenue,
        row_number() over (
            partition by valued.industry, valued.size_band, valued.as_of_index
            order by valued.revenue
        ) as revenue_position,
        count(*) over (
            partition by valued.industry, valued.size_band, valued.as_of_index
        ) as peer_count
    from valued
    where
        valued.revenue > 0
        and not valued.is_excluded
        and valued.industry is not null
        and valued.size_band is not null
),

peers as (
    select
        segments.industry,
        segments.size_band,
        segments.as_of_index,
        max(segments.peer_count) as peer_count,
        min(
            case
                when
                    cast(segments.revenue_position as decimal(18, 0))
                    >= parameters.peer_quantile * cast(segments.peer_count as decimal(18, 0))
                    then segments.revenue
            end
        ) as peer_revenue
    from segments
    cross join parameters
    where segments.peer_count >= parameters.min_peers
    group by segments.industry, segments.size_band, segments.as_of_index
),

declared as (
    select
        valued.*,
        case
            when valued.potential_currency = parameters.reporting_currency
                then valued.declared_potential
            else {{ convert_amount('valued.declared_potential', 'rates') }}
        end as declared
    from valued
    cross join parameters
    left join {{ ref('int_exchange_rates_filled') }} as rates
        on
            valued.potential_currency = rates.currency
            and case when valued.declared_potential is not null then valued.rate_for end
            = rates.rate_for
)

select
    declared.account_sk,
    declared.as_of_index,
    declared.as_of,
    cast(
        case
            when declared.is_excluded then null
            when declared.declared is not null then declared.declared
            when declared.pipeline is not null then declared.revenue + declared.pipeline
            -- what a customer buys already is not beyond its potential
            when peers.peer_revenue is not null
                then greatest(peers.peer_revenue, declared.revenue)
        end as decimal(18, 4)
    ) as potential,
    case
        when declared.is_excluded then 'none'
        when declared.declared is not null then 'declared'
        when declared.pipeline is not null then 'pipeline'
        when peers.peer_revenue is not null then 'peers'
        else 'none'
    end as potential_basis,
    cast(peers.peer_count as bigint) as peer_count,
    cast(declared.pipeline as decimal(18, 4)) as pipeline,
    as_ofs.input_fingerprint
from declared
inner join {{ ref('int_as_ofs_fingerprinted') }} as as_ofs
    on declared.as_of_index = as_ofs.as_of_index
left join peers
    on
        declared.industry = peers.industry
        and declared.size_band = peers.size_band
        and declared.as_of_index = peers.as_of_index
