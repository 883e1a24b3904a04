{{ config(
    severity='warn',
    meta={
        'remedy':
            'Move accounts to another tier by an override, give the owner fewer, or raise the cap in the'
            ~ ' policy (final_tier.caps); nobody is cut.',
        'dagster': {'ref': {'name': 'account_tiers'}},
    },
) }}

select
    tiers.account_key,
    concat(
        tiers.account_key, ': number ', cast(tiers.waitlist_position as string),
        ' on the waiting list of tier ', tiers.final_tier,
        case tiers.cap_exceeded
            when 'total' then ''
            else concat(' of owner ', tiers.owner_id)
        end
    ) as observed
from {{ ref('account_tiers') }} as tiers
where tiers.cap_exceeded is not null
