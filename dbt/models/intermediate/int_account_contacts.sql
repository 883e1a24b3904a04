with contacts as (
    select
        members.account_sk,
        contacts.source_system,
        contacts.contact_id,
        nullif(lower(trim(contacts.buying_role)), '') as buying_role
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join {{ ref('int_account_members') }} as members
        on
            contacts.source_system = members.source_system
            and contacts.account_id = members.source_id
    where members.source_entity = 'accounts'
)

select
    contacts.account_sk,
    cast(count(*) as bigint) as contact_count,
    cast(count(distinct contacts.buying_role) as bigint) as role_count
from contacts
group by contacts.account_sk
