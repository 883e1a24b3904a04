{{ config(
    severity='warn',
    meta={
        'remedy': 'Correct merged_into_id in the CRM; until then the account stands by itself.',
        'dagster': {'ref': {'name': 'account_members'}},
    },
) }}

select
    accounts.source_system,
    accounts.account_id,
    concat(
        accounts.source_system,
        ':',
        accounts.account_id,
        ' is merged into ',
        accounts.merged_into_id,
        case
            when merged.is_cut then ', which is merged into it'
            when accounts.merged_into_id = accounts.account_id then ', itself'
            else ', which no extract holds'
        end
    ) as observed
from {{ ref('stg_crm__accounts') }} as accounts
inner join {{ ref('int_crm_accounts_merged') }} as merged
    on accounts.source_system = merged.source_system and accounts.account_id = merged.account_id
left join {{ ref('stg_crm__accounts') }} as survivors
    on
        accounts.source_system = survivors.source_system
        and accounts.merged_into_id = survivors.account_id
where
    accounts.merged_into_id is not null
    and (
        merged.is_cut
        or survivors.account_id is null
        or accounts.merged_into_id = accounts.account_id
    )
