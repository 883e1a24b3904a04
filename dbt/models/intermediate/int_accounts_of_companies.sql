with members as (
    select * from {{ ref('int_account_members') }}
),

-- what only a company has: numbers of registers that hold, and a domain of its own
identified as (
    select distinct members.account_sk
    from {{ ref('int_identity_identifiers') }} as identifiers
    inner join members
        on
            identifiers.source_entity = members.source_entity
            and identifiers.source_system = members.source_system
            and identifiers.source_id = members.source_id
    where identifiers.kind in ('vat_number', 'registration_number', 'domain')
),

described as (
    select distinct members.account_sk
    from {{ ref('stg_crm__accounts') }} as accounts
    inner join members
        on
            accounts.source_system = members.source_system
            and accounts.account_id = members.source_id
    where
        members.source_entity = 'accounts'
        and (
            accounts.industry is not null
            or accounts.employee_count > 0
            or accounts.company_revenue > 0
            or accounts.account_type = 'partner'
        )
)

select identified.account_sk
from identified
union
select described.account_sk
from described
