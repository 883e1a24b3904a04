{# The contacts of all audiences, with the reason why they may not go to the destination: that of the consent it needs
   (seed contact_destinations); a consent that nobody knows is one that nobody gave. #}
{% macro contacts_judged_for(destination) -%}
    select
        contacts.*,
        case destinations.consent
            when 'ads' then contacts.ads_ineligible_reason
            when 'email' then contacts.email_ineligible_reason
            else 'no_consent'
        end as ineligible_reason
    from {{ ref('exp_all__contacts') }} as contacts
    inner join {{ ref('contact_destinations') }} as destinations
        on destinations.destination = '{{ destination }}'
{%- endmacro %}
