{{ config(
    severity='warn',
    meta={
        'remedy': 'Correct the row in tier_overrides; until then it has no effect.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    overrides.source_system,
    overrides.account_id,
    concat(
        overrides.account_id,
        ' to ',
        overrides.override_tier,
        ' from ',
        cast(overrides.valid_from as string),
        ' to ',
        cast(overrides.valid_to as string), ': ', overrides.problem
    ) as observed
from {{ ref('int_overrides_dated') }} as overrides
where overrides.problem is not null
