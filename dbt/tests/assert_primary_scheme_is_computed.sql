{{ config(
    severity='error',
    meta={
        'remedy':
            'Deliver the extracts that its criterion needs, or name another primary_scheme in the'
            ~ ' policy.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    schemes.scheme,
    concat(
        'no account has a tier by ', schemes.scheme, ' (criterion ', schemes.criterion, ')'
    ) as observed
from {{ ref('stg_run__schemes') }} as schemes
where
    schemes.is_primary
    and exists (
        select 1 from {{ ref('int_accounts') }} as accounts
        where not accounts.is_excluded
    )
    and not exists (
        select 1
        from {{ ref('account_tiers') }} as tiers
        where tiers.value_tier is not null
    )
