with members as (
    select * from {{ ref('exp_salesforce__members') }}
    where ineligible_reason is null
),

tiers as (
    select * from {{ ref('account_tiers') }}
),

-- Account_Key__c is the External ID: custom fields of the company's own org, text but for two
-- amounts and a date. #N/A clears a field, an empty cell would leave the old value.
final as (
    select
        members.audience,
        members.account_key,
        {% for column, field in [
            ('account_key', 'Account_Key__c'),
            ('final_tier', 'Final_Tier__c'),
            ('previous_tier', 'Previous_Tier__c'),
            ('value_tier', 'Value_Tier__c'),
            ('potential_tier', 'Potential_Tier__c'),
            ('posture', 'Posture__c'),
            ('relationship', 'Relationship__c'),
            ('tier_reason', 'Tier_Reason__c'),
            ('revenue', 'Tier_Revenue__c'),
            ('gross_margin', 'Tier_Gross_Margin__c'),
            ('as_of', 'Tier_As_Of__c'),
        ] %}
        coalesce(cast(tiers.{{ column }} as string), '#N/A')
            as {{ field }}{{ ',' if not loop.last }}
    {% endfor %}
    from members
    inner join tiers on members.account_key = tiers.account_key
)

select * from final
