{{ config(
    severity='error',
    meta={
        'remedy':
            'Look at the row in int_account_members: a match rule is missing from identity_rules,'
            ~ ' or two matches were accepted.',
        'dagster': {'ref': {'name': 'account_members'}},
    },
) }}

with source_rows as (
    select
        source_system,
        'accounts' as source_entity,
        account_id as source_id
    from {{ ref('stg_crm__accounts') }}
    union all
    select
        source_system,
        'customers' as source_entity,
        customer_id as source_id
    from {{ ref('stg_erp__customers') }}
),

memberships as (
    select
        source_rows.source_system,
        source_rows.source_entity,
        source_rows.source_id,
        count(distinct members.account_key) as accounts_found
    from source_rows
    left join {{ ref('account_members') }} as members
        on
            source_rows.source_system = members.source_system
            and source_rows.source_entity = members.source_entity
            and source_rows.source_id = members.source_id
    group by source_rows.source_system, source_rows.source_entity, source_rows.source_id
)

select
    memberships.source_system,
    memberships.source_entity,
    memberships.source_id,
    concat(
        memberships.source_system,
        ':',
        memberships.source_entity,
        ':',
        memberships.source_id,
        ' is in ',
        cast(memberships.accounts_found as string), ' accounts'
    ) as observed
from memberships
where memberships.accounts_found <> 1
