{{ config(
    severity='warn',
    meta={
        'remedy': 'Renew the override, or remove its row from tier_overrides.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    overrides.source_system,
    overrides.account_id,
    concat(
        overrides.account_id, ' to ', overrides.override_tier, ': ended ',
        cast(overrides.valid_to as string)
    ) as observed
from {{ ref('int_overrides_dated') }} as overrides
cross join {{ ref('stg_run__parameters') }} as parameters
where overrides.problem is null and overrides.valid_to < parameters.as_of
