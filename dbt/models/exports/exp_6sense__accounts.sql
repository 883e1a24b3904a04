with members as (
    select * from {{ ref('exp_6sense__members') }}
    where ineligible_reason is null
),

accounts as (
    select * from {{ ref('abm_accounts') }}
),

final as (
    select
        members.audience,
        members.account_key,
        accounts.account_name,
        accounts.country_code as country,
        members.domain
    from members
    inner join accounts on members.account_key = accounts.account_key
)

select * from final
