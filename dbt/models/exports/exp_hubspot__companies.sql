with members as (
    select * from {{ ref('exp_hubspot__members') }}
    where ineligible_reason is null
),

domains as (
    select * from {{ ref('exp_all__domains') }}
),

tiers as (
    select * from {{ ref('account_tiers') }}
),

-- an import leaves a property as it is where the cell is empty
final as (
    select
        members.audience,
        domains.domain as company_domain_name,
        {% for column, missing in [
            ('account_key', 'none'),
            ('final_tier', 'none'),
            ('previous_tier', 'none'),
            ('value_tier', 'none'),
            ('potential_tier', 'none'),
            ('posture', 'none'),
            ('relationship', 'none'),
            ('tier_reason', 'none'),
            ('revenue', '0'),
            ('gross_margin', 'unknown'),
            ('as_of', 'none'),
        ] %}
        coalesce(cast(tiers.{{ column }} as string), '{{ missing }}')
            as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
    from members
    inner join domains on members.account_key = domains.account_key
    inner join tiers on members.account_key = tiers.account_key
)

select * from final
