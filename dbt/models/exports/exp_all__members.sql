with accounts as (
    select * from {{ ref('abm_accounts') }}
),

audiences as (
    select * from {{ ref('audiences') }}
),

-- an account that fits two lines of an audience is in it once
members as (
    select distinct
        audiences.audience,
        accounts.account_key,
        accounts.ineligible_reason
    from accounts
    inner join audiences
        on
            audiences.tier in ('any', accounts.final_tier)
            and audiences.relationship in ('any', accounts.relationship)
)

select * from members
