with held as (
    select * from {{ ref('int_crm_accounts_held') }}
),

final as (
    select held.account_key
    from held
)

select * from final
