with members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'customers'
),

bought as (
    select
        members.account_sk,
        family_months.product_family,
        cast(sum(family_months.revenue) as decimal(18, 4)) as revenue,
        cast(sum(family_months.line_count) as bigint) as line_count
    from {{ ref('int_customer_family_months') }} as family_months
    inner join members
        on
            family_months.source_system = members.source_system
            and family_months.customer_id = members.source_id
    group by members.account_sk, family_months.product_family
)

-- what credit notes of one family take back does not make the others a larger part of the wallet
select
    bought.account_sk,
    bought.product_family,
    bought.revenue,
    bought.line_count,
    cast(
        sum(greatest(bought.revenue, 0)) over (partition by bought.account_sk) as decimal(18, 4)
    ) as wallet
from bought
