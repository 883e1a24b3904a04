{{ config(
    severity='warn',
    meta={
        'remedy': 'Give the override an earlier valid_to and renew it when it ends.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    overrides.source_system,
    overrides.account_id,
    concat(
        overrides.account_id, ' to ', overrides.override_tier, ': ',
        cast({{ dbt.datediff('overrides.valid_from', 'overrides.valid_to', 'day') }} + 1 as string),
        ' days, at most ', cast(parameters.override_max_days as string), ' are allowed'
    ) as observed
from {{ ref('int_overrides_dated') }} as overrides
cross join {{ ref('stg_run__parameters') }} as parameters
where
    overrides.problem is null
    and {{ dbt.datediff('overrides.valid_from', 'overrides.valid_to', 'day') }} + 1
    > parameters.override_max_days
