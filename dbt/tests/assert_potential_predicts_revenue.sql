{{ config(
    severity='warn',
    meta={
        'remedy':
            'Read potential as a guess: look in potential_backtest at which basis fails, correct '
            ~ 'declared potentials and stale opportunities in the CRM, or raise min_peers.',
        'dagster': {'ref': {'name': 'potential_backtest'}},
    },
) }}

select
    backtest.metric,
    backtest.population,
    concat(
        replace(backtest.metric, '_', ' '), ' of ', replace(backtest.population, '_', ' '), ': ',
        case
            when backtest.figure is null then 'unknown'
            else cast(cast(backtest.figure as decimal(18, 3)) as string)
        end,
        ', at least ', cast(cast(backtest.minimum as decimal(18, 3)) as string), ' wanted (',
        cast(backtest.account_count as string), ' accounts, potential as of ',
        cast(backtest.potential_as_of as string), ')'
    ) as observed
from {{ ref('potential_backtest') }} as backtest
where not backtest.is_met
