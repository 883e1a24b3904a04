{{ config(materialized='view') }}

{% set amounts = [
    'revenue', 'gross_margin', 'turnover', 'costed_turnover', 'net_margin', 'potential',
] %}
{% set counts = ['line_count', 'costed_line_count'] %}

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
        cast(
            windows.gross_margin
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
    {% for column in amounts + counts %}
        sites.{{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from sites
where sites.classification_level = 'site' and not sites.is_excluded
union all
select
    sites.account_sk,
    sites.as_of,
    sites.as_of_index,
    {% for column in amounts %}
        cast(sum(sites.{{ column }}) as decimal(18, 4)) as {{ column }},
    {% endfor %}
    {% for column in counts %}
        cast(sum(sites.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from sites
where sites.classification_level = 'group' and not sites.is_excluded
group by sites.account_sk, sites.as_of, sites.as_of_index
