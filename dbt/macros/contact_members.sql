{# The members of a destination's audiences: who may go there and yet has no row in its table has nothing that it
   matches people by. #}
{% macro contact_members(destination) -%}
with contacts as (
    {{ contacts_judged_for(destination) }}
),

sent as (
    select
        audience,
        contact_key
    from {{ ref('exp_' ~ destination ~ '__contacts') }}
),

members as (
    select
        contacts.audience,
        contacts.contact_key,
        case
            when contacts.ineligible_reason is not null then contacts.ineligible_reason
            when sent.contact_key is null then 'no_identifier'
        end as ineligible_reason
    from contacts
    left join sent
        on
            contacts.audience = sent.audience
            and contacts.contact_key = sent.contact_key
)

select * from members
{%- endmacro %}
