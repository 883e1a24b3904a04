{{ config(materialized='view') }}

select
    finalised.account_key,
    finalised.as_of,
    finalised.month,
    finalised.revenue,
    finalised.gross_margin,
    finalised.invoice_count,
    finalised.revenue_share,
    finalised.revenue_share_before,
    finalised.revenue_tier,
    finalised.revenue_distance,
    finalised.gross_margin_share,
    finalised.gross_margin_share_before,
    finalised.gross_margin_tier,
    finalised.gross_margin_distance,
    finalised.value_tier,
    finalised.raw_tier,
    finalised.stable_tier,
    finalised.override_tier,
    finalised.final_tier,
    finalised.posture,
    finalised.is_new_customer
from {{ ref('int_account_final_tiers') }} as finalised
inner join {{ ref('stg_run__parameters') }} as parameters
    on finalised.as_of_index > parameters.as_of_month_index - parameters.history_months
