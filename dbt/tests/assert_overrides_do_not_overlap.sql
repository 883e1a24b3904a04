{{ config(
    severity='warn',
    meta={
        'remedy': 'Shorten one of the pair in tier_overrides.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with numbered as (
    select
        overrides.account_sk,
        overrides.account_id,
        overrides.override_tier,
        overrides.owner,
        overrides.valid_from,
        overrides.valid_to,
        row_number() over (
            partition by overrides.account_sk
            order by
                overrides.valid_from,
                overrides.valid_to,
                overrides.override_tier,
                overrides.owner,
                overrides.reason
        ) as override_number
    from {{ ref('int_overrides_dated') }} as overrides
    where overrides.problem is null
)

select
    earlier.account_id,
    concat(
        earlier.account_id, ': ', earlier.override_tier, ' (',
        cast(earlier.valid_from as string), ' to ', cast(earlier.valid_to as string), ') and ',
        later.override_tier, ' (', cast(later.valid_from as string), ' to ',
        cast(later.valid_to as string), '); the latest start wins'
    ) as observed
from numbered as earlier
inner join numbered as later
    on
        earlier.account_sk = later.account_sk
        and earlier.override_number < later.override_number
        and earlier.valid_to >= later.valid_from
