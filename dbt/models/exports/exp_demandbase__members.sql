with members as (
    select * from {{ ref('exp_all__members') }}
),

domains as (
    select * from {{ ref('exp_all__domains') }}
),

final as (
    select
        members.audience,
        members.account_key,
        domains.ineligible_reason
    from members
    inner join domains on members.account_key = domains.account_key
)

select * from final
