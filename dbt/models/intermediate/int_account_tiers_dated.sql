{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_looked_back'},
) }}

{% set is_changed = in_changed_as_ofs('as_of_index', ref('int_as_ofs_looked_back')) %}

with finalised as (
    select * from {{ ref('int_account_final_tiers') }}
    where {{ is_changed }}
),

windows as (
    select * from {{ ref('int_account_windows') }}
    where {{ is_changed }}
),

schemes as (
    select
        scheme_tiers.account_sk,
        scheme_tiers.as_of_index,
    {% for scheme in ['revenue', 'gross_margin'] %}
        max(case when scheme_tiers.scheme = '{{ scheme }}' then scheme_tiers.tier end)
            as {{ scheme }}_tier,
        max(case when scheme_tiers.scheme = '{{ scheme }}' then scheme_tiers.share end)
            as {{ scheme }}_share,
        max(case when scheme_tiers.scheme = '{{ scheme }}' then scheme_tiers.share_before end)
            as {{ scheme }}_share_before,
        max(case when scheme_tiers.scheme = '{{ scheme }}' then scheme_tiers.distance end)
            as {{ scheme }}_distance{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    where {{ is_changed }}
    group by scheme_tiers.account_sk, scheme_tiers.as_of_index
)

select
    finalised.account_key,
    finalised.as_of,
    {{ month_start('finalised.as_of_index - 1') }} as month,
    cast(windows.revenue as decimal(18, 4)) as revenue,
    cast(case when windows.line_count = 0 then 0 else windows.gross_margin end as decimal(18, 4))
        as gross_margin,
    windows.invoice_count,
    schemes.revenue_share,
    schemes.revenue_share_before,
    schemes.revenue_tier,
    cast(schemes.revenue_distance as decimal(18, 4)) as revenue_distance,
    schemes.gross_margin_share,
    schemes.gross_margin_share_before,
    schemes.gross_margin_tier,
    cast(schemes.gross_margin_distance as decimal(18, 4)) as gross_margin_distance,
    finalised.value_tier,
    finalised.raw_tier,
    finalised.stable_tier,
    finalised.override_tier,
    finalised.final_tier,
    finalised.posture,
    finalised.is_new_customer,
    finalised.as_of_index,
    finalised.input_fingerprint
from finalised
inner join windows
    on finalised.account_sk = windows.account_sk and finalised.as_of_index = windows.as_of_index
left join schemes
    on finalised.account_sk = schemes.account_sk and finalised.as_of_index = schemes.as_of_index
