with tiered as (
    select
        scheme_tiers.*,
        accounts.account_key
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    inner join {{ ref('int_accounts') }} as accounts
        on scheme_tiers.account_sk = accounts.account_sk
    inner join {{ ref('stg_run__parameters') }} as parameters
        on scheme_tiers.as_of = parameters.as_of
),

ordered as (
    select
        tiered.*,
        case
            when tiered.value > 0
                then row_number() over (
                    partition by tiered.scheme, tiered.population
                    order by tiered.value desc nulls last, tiered.account_key
                )
        end as value_rank,
        sum(case when tiered.value > 0 then tiered.value end) over (
            partition by tiered.scheme, tiered.population
            order by tiered.value desc nulls last, tiered.account_key
            rows between unbounded preceding and current row
        ) as cumulative_value,
        sum(tiered.value) over (
            partition by tiered.scheme, tiered.population
            order by tiered.value desc nulls last, tiered.account_key
            rows between unbounded preceding and current row
        ) as cumulative_value_net,
        sum(tiered.value) over (partition by tiered.scheme, tiered.population) as total_net
    from tiered
)

select
    ordered.account_sk,
    ordered.account_key,
    ordered.as_of,
    ordered.scheme,
    ordered.population,
    ordered.value,
    ordered.total,
    cast(ordered.value_rank as bigint) as value_rank,
    ordered.share,
    ordered.share_before,
    case when ordered.value > 0 then {{ ratio('ordered.cumulative_value', 'ordered.total') }} end
        as cumulative_share,
    case
        when ordered.value is not null and ordered.total_net > 0
            then {{ ratio('ordered.cumulative_value_net', 'ordered.total_net') }}
    end as cumulative_share_net,
    ordered.tier,
    ordered.tier_rank,
    ordered.tier_reason,
    ordered.distance
from ordered
