{{ config(materialized='view') }}

with sites as (
    select
        hierarchies.classified_account_sk as account_sk,
        windows.as_of,
        windows.as_of_index,
        accounts.is_excluded,
        windows.revenue,
        windows.gross_margin,
        windows.turnover,
        windows.costed_turnover,
        -- costs of a site that bought nothing are costs of its group too
        cast(
            case when windows.line_count = 0 then 0 else windows.gross_margin end
            - coalesce(cost_windows.rebates, 0) - coalesce(cost_windows.cost_to_serve, 0)
            as decimal(18, 4)
        ) as net_margin,
        potentials.potential,
        windows.line_count,
        windows.costed_line_count,
        parameters.classification_level
    from {{ ref('int_account_windows') }} as windows
    cross join {{ ref('stg_run__parameters') }} as parameters
    inner join {{ ref('int_accounts') }} as accounts on windows.account_sk = accounts.account_sk
    inner join {{ ref('int_account_hierarchies') }} as hierarchies
        on windows.account_sk = hierarchies.account_sk
    left join {{ ref('int_account_cost_windows') }} as cost_windows
        on
            windows.account_sk = cost_windows.account_sk
            and windows.as_of_index = cost_windows.as_of_index
    left join {{ ref('int_account_potentials') }} as potentials
        on
            windows.account_sk = potentials.account_sk
            and windows.as_of_index = potentials.as_of_index
)

select
    sites.account_sk,
    sites.as_of,
    sites.as_of_index,
    sites.revenue,
    sites.gross_margin,
    sites.turnover,
    sites.costed_turnover,
    sites.net_margin,
    sites.potential,
    sites.line_count,
    sites.costed_line_count
from sites
where sites.classification_level = 'site' and not sites.is_excluded
union all
select
    sites.account_sk,
    sites.as_of,
    sites.as_of_index,
    cast(sum(sites.revenue) as decimal(18, 4)) as revenue,
    cast(sum(sites.gross_margin) as decimal(18, 4)) as gross_margin,
    cast(sum(sites.turnover) as decimal(18, 4)) as turnover,
    cast(sum(sites.costed_turnover) as decimal(18, 4)) as costed_turnover,
    cast(sum(sites.net_margin) as decimal(18, 4)) as net_margin,
    cast(sum(sites.potential) as decimal(18, 4)) as potential,
    cast(sum(sites.line_count) as bigint) as line_count,
    cast(sum(sites.costed_line_count) as bigint) as costed_line_count
from sites
where sites.classification_level = 'group' and not sites.is_excluded
group by sites.account_sk, sites.as_of, sites.as_of_index
