-- what an as_of is decided by beside the windows of its accounts
with as_ofs as (
    select * from {{ ref('int_as_ofs') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

accounts as (
    select
        {{ fingerprint([
            'accounts.account_sk', 'accounts.is_excluded', 'accounts.industry',
            'accounts.size_band', 'accounts.country_code', 'accounts.business_unit',
            'accounts.declared_potential', 'accounts.potential_currency',
        ]) }} as accounts_said
    from {{ ref('int_accounts') }} as accounts
),

hierarchies as (
    select
        {{ fingerprint(['hierarchies.account_sk', 'hierarchies.classified_account_sk']) }}
            as hierarchies_said
    from {{ ref('int_account_hierarchies') }} as hierarchies
),

pipelines as (
    select
        pipelines.as_of_index,
        {{ fingerprint(['pipelines.account_sk', 'pipelines.weighted_amount']) }} as pipelines_said
    from {{ ref('int_account_pipelines') }} as pipelines
    group by pipelines.as_of_index
),

costs as (
    select
        cost_windows.as_of_index,
        {{ fingerprint([
            'cost_windows.account_sk', 'cost_windows.rebates', 'cost_windows.cost_to_serve',
        ]) }} as costs_said
    from {{ ref('int_account_cost_windows') }} as cost_windows
    group by cost_windows.as_of_index
),

-- the rates that a potential declared in another currency is converted at
rates as (
    select
        as_ofs.as_of_index,
        {{ fingerprint(['rates.currency', 'rates.rate_numerator', 'rates.rate_denominator']) }}
            as rates_said
    from as_ofs
    inner join {{ ref('int_exchange_rates_filled') }} as rates
        on {{ add_days('as_ofs.as_of', -1) }} = rates.rate_for
    where
        rates.currency in (
            select distinct accounts.potential_currency
            from {{ ref('int_accounts') }} as accounts
            where accounts.declared_potential is not null
        )
    group by as_ofs.as_of_index
)

select
    as_ofs.as_of_index,
    -- whether there are costs to serve at all decides for all: see int_account_scheme_values
    concat(
        cast(cost_windows.has_costs as string), '|',
        parameters.reporting_currency, '|', cast(parameters.line_scale as string), '|',
        accounts.accounts_said, '|', hierarchies.hierarchies_said, '|',
        coalesce(pipelines.pipelines_said, '-'), '|',
        coalesce(costs.costs_said, '-'), '|',
        coalesce(rates.rates_said, '-'), '|',
        parameters.classification_level, '|',
        cast(parameters.horizon_months as string), '|',
        cast(parameters.min_peers as string), '|',
        cast(parameters.peer_quantile as string)
    ) as facts_said
from as_ofs
cross join parameters
cross join accounts
cross join hierarchies
cross join (
    select case when count(*) > 0 then 1 else 0 end as has_costs
    from {{ ref('int_account_cost_windows') }}
) as cost_windows
left join pipelines on as_ofs.as_of_index = pipelines.as_of_index
left join costs on as_ofs.as_of_index = costs.as_of_index
left join rates on as_ofs.as_of_index = rates.as_of_index
