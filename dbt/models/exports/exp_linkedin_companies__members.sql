with members as (
    select * from {{ ref('exp_all__members') }}
),

domains as (
    select * from {{ ref('exp_all__domains') }}
),

-- LinkedIn finds companies by domain, too: one that is suppressed is not reached by its neighbour
final as (
    select
        members.audience,
        members.account_key,
        coalesce(
            members.ineligible_reason,
            case when domains.ineligible_reason = 'suppressed' then 'suppressed' end
        ) as ineligible_reason
    from members
    inner join domains on members.account_key = domains.account_key
)

select * from final
