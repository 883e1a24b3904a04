{{ config(
    severity='warn',
    meta={
        'remedy': 'Correct the parent in the CRM or the ERP; until then the link is cut.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    accounts.account_key,
    concat(accounts.account_key, ': ', hierarchies.link_problem) as observed
from {{ ref('int_account_hierarchies') }} as hierarchies
inner join {{ ref('int_accounts') }} as accounts on hierarchies.account_sk = accounts.account_sk
where hierarchies.link_problem is not null
