with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

segmented as (
    select * from {{ ref('int_accounts_segmented') }}
),

bought as (
    select * from {{ ref('int_account_families_bought') }}
),

customers as (
    select
        segmented.industry,
        segmented.size_band,
        cast(count(*) as bigint) as customer_count
    from segmented
    inner join (
        select distinct bought.account_sk
        from bought
        where bought.wallet > 0
    ) as buying on segmented.account_sk = buying.account_sk
    group by segmented.industry, segmented.size_band
),

-- a part of the wallet as whole millionths, rounded down: rounding down keeps the order of the
-- exact parts, so that the one at a place in it is the same
buyers as (
    select
        segmented.account_sk,
        segmented.industry,
        segmented.size_band,
        bought.product_family,
        bought.revenue,
        cast(
            {{ integer_quotient(
                "cast(bought.revenue as decimal(38, 4)) * 10000 * 1000000",
                "cast(bought.wallet as decimal(38, 4)) * 10000",
                'decimal(38, 0)'
            ) }} as bigint
        ) as wallet_millionths
    from segmented
    inner join bought on segmented.account_sk = bought.account_sk
    where bought.revenue > 0 and bought.product_family <> 'unknown'
),

placed as (
    select
        buyers.*,
        count(*) over (
            partition by buyers.industry, buyers.size_band, buyers.product_family
        ) as buyer_count,
        row_number() over (
            partition by buyers.industry, buyers.size_band, buyers.product_family
            order by buyers.wallet_millionths, buyers.account_sk
        ) as wallet_place,
        row_number() over (
            partition by buyers.industry, buyers.size_band, buyers.product_family
            order by buyers.revenue, buyers.account_sk
        ) as revenue_place
    from buyers
),

-- the quantile is the smallest value that at least this part of the buyers do not exceed
aimed as (
    select
        placed.*,
        cast(parameters.peer_quantile as decimal(7, 6)) * cast(placed.buyer_count as decimal(9, 0))
            as place
    from placed
    cross join parameters
)

select
    aimed.industry,
    aimed.size_band,
    aimed.product_family,
    customers.customer_count,
    cast(max(aimed.buyer_count) as bigint) as buyer_count,
    max(
        case
            when
                aimed.wallet_place >= aimed.place
                and (aimed.wallet_place - 1 < aimed.place or aimed.wallet_place = 1)
                then aimed.wallet_millionths
        end
    ) as wallet_millionths,
    max(
        case
            when
                aimed.revenue_place >= aimed.place
                and (aimed.revenue_place - 1 < aimed.place or aimed.revenue_place = 1)
                then aimed.revenue
        end
    ) as revenue
from aimed
inner join customers
    on aimed.industry = customers.industry and aimed.size_band = customers.size_band
group by aimed.industry, aimed.size_band, aimed.product_family, customers.customer_count
