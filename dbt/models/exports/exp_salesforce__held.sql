with held as (
    select * from {{ ref('int_crm_accounts_held') }}
),

systems as (
    select * from {{ ref('exp_salesforce__systems') }}
),

final as (
    select held.account_key
    from held
    inner join systems on held.source_system = systems.crm_system
)

select * from final
