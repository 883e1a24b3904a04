with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
    where is_active and not is_excluded
),

segmented as (
    select * from {{ ref('int_accounts_segmented') }}
),

bought as (
    select * from {{ ref('int_account_families_bought') }}
),

segment_families as (
    select * from {{ ref('int_segment_families_bought') }}
),

wallets as (
    select
        bought.account_sk,
        max(bought.wallet) as wallet
    from bought
    group by bought.account_sk
),

-- no account is its own peer
compared as (
    select
        accounts.account_sk,
        segment_families.product_family,
        coalesce(wallets.wallet, 0) as wallet,
        segment_families.customer_count
        - case when wallets.wallet > 0 then 1 else 0 end as peer_count,
        segment_families.buyer_count,
        segment_families.wallet_millionths,
        segment_families.revenue as peer_revenue
    from accounts
    inner join segmented on accounts.account_sk = segmented.account_sk
    inner join segment_families
        on
            segmented.industry = segment_families.industry
            and segmented.size_band = segment_families.size_band
    left join wallets on accounts.account_sk = wallets.account_sk
),

with_peers as (
    select compared.*
    from compared
    inner join parameters on compared.peer_count >= parameters.min_peers
),

listed as (
    select
        with_peers.account_sk,
        with_peers.product_family
    from with_peers
    union
    select
        bought.account_sk,
        bought.product_family
    from bought
),

joined as (
    select
        accounts.account_sk,
        accounts.account_key,
        listed.product_family,
        segmented.industry,
        segmented.size_band,
        coalesce(bought.revenue, 0) as revenue,
        coalesce(bought.revenue > 0, false) as buys,
        coalesce(wallets.wallet, 0) as wallet,
        with_peers.peer_count,
        with_peers.buyer_count
        - case when bought.revenue > 0 then 1 else 0 end as peers_buying_count,
        with_peers.wallet_millionths,
        with_peers.peer_revenue
    from listed
    inner join accounts on listed.account_sk = accounts.account_sk
    left join segmented on listed.account_sk = segmented.account_sk
    left join wallets on listed.account_sk = wallets.account_sk
    left join bought
        on listed.account_sk = bought.account_sk and listed.product_family = bought.product_family
    left join with_peers
        on
            listed.account_sk = with_peers.account_sk
            and listed.product_family = with_peers.product_family
),

-- who buys from us is measured by the part that peers give to the family, who does not by their
-- amount; per year, rounded half up as whole ten-thousandths
estimated as (
    select
        joined.*,
        case
            when joined.peer_count is null or joined.buys then null
            when joined.wallet > 0 then {{ integer_quotient(
                "2 * 12 * cast(joined.wallet_millionths as decimal(38, 0))"
                ~ " * cast(cast(joined.wallet as decimal(38, 4)) * 10000 as decimal(38, 0))"
                ~ " + 1000000 * parameters.window_months",
                "2 * 1000000 * parameters.window_months",
                'decimal(38, 0)'
            ) }}
            else {{ integer_quotient(
                "2 * 12 * cast(cast(joined.peer_revenue as decimal(38, 4)) * 10000 as decimal(38, 0))"
                ~ " + parameters.window_months",
                "2 * parameters.window_months",
                'decimal(38, 0)'
            ) }}
        end as estimated_units
    from joined
    cross join parameters
)

select
    estimated.account_sk,
    estimated.account_key,
    estimated.product_family,
    estimated.industry,
    estimated.size_band,
    estimated.buys,
    estimated.revenue,
    estimated.wallet,
    estimated.peer_count,
    estimated.peers_buying_count,
    estimated.wallet_millionths,
    estimated.peer_revenue,
    cast(
        cast(estimated.estimated_units as decimal(22, 0)) * cast(0.0001 as decimal(5, 4))
        as decimal(18, 4)
    ) as estimated_potential,
    case when estimated.peer_count is null then 'none' else 'peers' end as estimate_basis,
    case
        when estimated.estimated_units is null then null
        when estimated.wallet > 0 then 'share_of_wallet'
        else 'amount'
    end as estimate_method,
    coalesce(
        not estimated.buys
        and cast(triggers.threshold as decimal(7, 6))
        * cast(estimated.peer_count as decimal(9, 0))
        <= estimated.peers_buying_count,
        false
    ) as is_whitespace
from estimated
inner join {{ ref('play_triggers') }} as triggers on triggers.play_trigger = 'whitespace'
