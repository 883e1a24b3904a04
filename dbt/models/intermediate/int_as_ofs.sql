{{ config(materialized='view') }}

-- months before the published history are needed by the rules that look back, and by the backtest
select
    parameters.as_of_month_index - steps.n as as_of_index,
    {{ month_start('parameters.as_of_month_index - steps.n') }} as as_of
from {{ ref('stg_run__parameters') }} as parameters
inner join ({{ numbers() }}) as steps
    on
        steps.n < greatest(
            parameters.history_months
            + greatest(parameters.demotion_patience_months, parameters.new_customer_months),
            parameters.window_months + 1
        )
