with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

estimated as (
    select * from {{ ref('int_whitespace_estimated') }}
)

select
    estimated.account_key,
    estimated.product_family,
    estimated.buys,
    cast(estimated.revenue as decimal(18, 4)) as revenue,
    {{ ratio('greatest(estimated.revenue, 0)', 'estimated.wallet') }} as wallet_share,
    estimated.industry,
    estimated.size_band,
    cast(estimated.peer_count as bigint) as peer_count,
    cast(estimated.peers_buying_count as bigint) as peers_buying_count,
    {{ ratio('estimated.peers_buying_count', 'estimated.peer_count') }} as peers_buying_share,
    cast(parameters.peer_quantile as decimal(7, 6)) as peer_quantile,
    {{ ratio('estimated.wallet_millionths', '1000000') }} as peer_wallet_share,
    cast(estimated.peer_revenue as decimal(18, 4)) as peer_revenue,
    cast(estimated.estimated_potential as decimal(18, 4)) as estimated_potential,
    estimated.estimate_basis,
    estimated.estimate_method,
    estimated.is_whitespace
from estimated
cross join parameters
