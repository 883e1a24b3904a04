{{ config(materialized='view') }}

select
    dated.account_key,
    dated.as_of,
    dated.month,
    dated.revenue,
    dated.gross_margin,
    dated.invoice_count,
    dated.revenue_share,
    dated.revenue_share_before,
    dated.revenue_tier,
    dated.revenue_distance,
    dated.gross_margin_share,
    dated.gross_margin_share_before,
    dated.gross_margin_tier,
    dated.gross_margin_distance,
    dated.value_tier,
    dated.raw_tier,
    dated.stable_tier,
    dated.override_tier,
    dated.final_tier,
    dated.posture,
    dated.is_new_customer
from {{ ref('int_account_tiers_dated') }} as dated
inner join {{ ref('stg_run__parameters') }} as parameters
    on dated.as_of_index > parameters.as_of_month_index - parameters.history_months
