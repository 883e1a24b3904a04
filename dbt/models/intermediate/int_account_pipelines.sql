with opportunities as (
    select * from {{ ref('stg_crm__opportunities') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

members as (
    select * from {{ ref('int_account_members') }}
    where source_entity = 'accounts'
),

as_ofs as (
    select
        as_ofs.as_of_index,
        as_ofs.as_of,
        {{ add_days('as_ofs.as_of', -1) }} as rate_for,
        {{ month_start('as_ofs.as_of_index + parameters.horizon_months') }} as horizon_end
    from {{ ref('int_as_ofs') }} as as_ofs
    cross join parameters
),

-- what was won of what had been closed by then: the odds of an opportunity whose own are not known
odds as (
    select
        as_ofs.as_of_index,
        count(case when opportunities.is_won then 1 end) as won_count,
        count(*) as closed_count
    from as_ofs
    inner join opportunities
        on as_ofs.as_of > opportunities.close_date and opportunities.is_closed
    group by as_ofs.as_of_index
),

-- what is closed today was open at an earlier day if it was changed since then; what was to close
-- before that day and did not is stale
open_then as (
    select
        members.account_sk,
        as_ofs.as_of_index,
        as_ofs.rate_for,
        opportunities.amount,
        coalesce(opportunities.currency, parameters.reporting_currency) as currency,
        case when not opportunities.is_closed then opportunities.probability end as probability
    from opportunities
    cross join parameters
    inner join members
        on
            opportunities.source_system = members.source_system
            and opportunities.account_id = members.source_id
    inner join as_ofs
        on
            opportunities.close_date >= as_ofs.as_of
            and opportunities.close_date < as_ofs.horizon_end
            and (
                opportunities.created_at is null
                or cast(opportunities.created_at as date) < as_ofs.as_of
            )
            and (
                not opportunities.is_closed
                or cast(opportunities.updated_at as date) >= as_ofs.as_of
            )
    where opportunities.amount is not null
),

converted as (
    select
        open_then.account_sk,
        open_then.as_of_index,
        open_then.probability,
        case
            when open_then.currency = parameters.reporting_currency then open_then.amount
            else {{ convert_amount('open_then.amount', 'rates') }}
        end as amount
    from open_then
    cross join parameters
    left join {{ ref('int_exchange_rates_filled') }} as rates
        on open_then.currency = rates.currency and open_then.rate_for = rates.rate_for
),

-- in millionths of an amount: whole numbers, rounded once for each account
weighed as (
    select
        converted.account_sk,
        converted.as_of_index,
        cast(
            sum(
                cast(converted.amount as decimal(28, 4))
                * case
                    when converted.probability is not null
                        then cast(converted.probability as decimal(9, 6))
                    -- nine digits, as those of a probability: of wider products Spark cuts decimals
                    else cast(
                        cast(
                            {{ integer_quotient(
                                '2000000 * odds.won_count + odds.closed_count',
                                '2 * odds.closed_count', 'bigint'
                            ) }} as decimal(9, 0)
                        ) * cast(0.000001 as decimal(7, 6)) as decimal(9, 6)
                    )
                end
            ) as decimal(38, 10)
        ) as weighted_amount,
        count(*) as opportunity_count
    from converted
    left join odds on converted.as_of_index = odds.as_of_index
    where
        converted.amount is not null
        -- as long as nothing was closed, nothing is known of the odds
        and (converted.probability is not null or odds.closed_count > 0)
    group by converted.account_sk, converted.as_of_index
)

select
    weighed.account_sk,
    weighed.as_of_index,
    cast(weighed.weighted_amount as decimal(18, 4)) as weighted_amount,
    cast(weighed.opportunity_count as bigint) as opportunity_count
from weighed
