{{ config(
    severity='warn',
    meta={
        'remedy':
            'Read the tiers of so few accounts as a list, not as classes; or rank a wider '
            ~ 'population.',
        'dagster': {'ref': {'name': 'pareto_curve'}},
    },
) }}

with populations as (
    select
        valued.scheme,
        valued.population,
        count(*) as account_count
    from {{ ref('int_account_scheme_ranks') }} as valued
    group by valued.scheme, valued.population
)

select
    populations.scheme,
    populations.population,
    concat(
        populations.scheme,
        ' of ',
        populations.population,
        ': ',
        cast(populations.account_count as string),
        ' accounts, fewer than ', cast(parameters.min_population as string)
    ) as observed
from populations
cross join {{ ref('stg_run__parameters') }} as parameters
where populations.account_count < parameters.min_population
