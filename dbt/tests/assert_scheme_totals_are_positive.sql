{{ config(
    severity='warn',
    meta={
        'remedy':
            'Check window and as_of against the dates of the lines, and whether the extracts '
            ~ 'carry what the criterion needs; without a total every account is in the lowest tier.',
        'dagster': {'ref': {'name': 'pareto_curve'}},
    },
) }}

with totals as (
    select
        valued.scheme,
        valued.population,
        sum(case when valued.value > 0 then valued.value end) as total,
        count(valued.value) as valued_count
    from {{ ref('int_account_scheme_ranks') }} as valued
    group by valued.scheme, valued.population
)

select
    schemes.scheme,
    totals.population,
    concat(
        schemes.scheme,
        case
            when coalesce(totals.valued_count, 0) = 0
                then concat(' is skipped: no account has a ', schemes.criterion)
            else ': no account has a positive value, so there are no shares'
        end
    ) as observed
from {{ ref('stg_run__schemes') }} as schemes
left join totals on schemes.scheme = totals.scheme
where totals.total is null
