{{ config(
    severity='error',
    meta={
        'remedy':
            'Deliver cost_amount with the lines or a product_costs extract, or make revenue the '
            ~ 'primary scheme.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with covered as (
    select
        coalesce(sum(windows.costed_turnover), 0) as costed_turnover,
        coalesce(sum(windows.turnover), 0) as turnover
    from {{ ref('int_account_windows') }} as windows
    inner join {{ ref('stg_run__parameters') }} as parameters on windows.as_of = parameters.as_of
)

select
    concat(
        'the cost of ',
        cast(covered.costed_turnover as string),
        ' of ',
        cast(covered.turnover as string),
        ' ',
        parameters.reporting_currency, ' turnover is known; at least ',
        cast(parameters.min_cost_coverage as string),
        ' of it must be, as ',
        schemes.scheme,
        ' is primary'
    ) as observed
from covered
cross join {{ ref('stg_run__parameters') }} as parameters
inner join {{ ref('stg_run__schemes') }} as schemes on parameters.primary_scheme = schemes.scheme
where
    schemes.criterion in ('gross_margin', 'net_margin')
    and covered.costed_turnover < parameters.min_cost_coverage * covered.turnover
