{{ config(
    severity='error',
    meta={
        'remedy':
            'Follow the account through int_account_windows, int_account_final_tiers and '
            ~ 'int_account_tiers_described.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

with present as (
    select
        tiers.account_key,
        count(*) as rows_found,
        count(tiers.final_tier) as final_tiers_found
    from {{ ref('account_tiers') }} as tiers
    where tiers.inactive_since is null
    group by tiers.account_key
)

select
    coalesce(accounts.account_key, present.account_key) as account_key,
    concat(
        coalesce(accounts.account_key, present.account_key),
        case when accounts.account_key is null then ': not an account of the spine, ' else ': ' end,
        cast(coalesce(present.rows_found, 0) as string), ' rows, ',
        cast(coalesce(present.final_tiers_found, 0) as string), ' final tiers'
    ) as observed
from {{ ref('int_accounts') }} as accounts
full outer join present on accounts.account_key = present.account_key
where
    accounts.account_key is null
    or present.account_key is null
    or present.rows_found <> 1
    or present.final_tiers_found <> 1
