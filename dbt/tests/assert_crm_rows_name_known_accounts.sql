{{ config(
    severity='warn',
    meta={
        'remedy':
            'Deliver the missing accounts with the accounts extract; until then these rows count '
            ~ 'for no account.',
        'dagster': {'ref': {'name': 'account_members'}},
    },
) }}

with named as (
    {% for entity in ['contacts', 'opportunities', 'activities', 'surveys'] %}
        select
            '{{ entity }}' as entity,
            source_system,
            account_id
        from {{ ref('stg_crm__' ~ entity) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    named.source_system,
    named.entity,
    concat(
        named.source_system, '/', named.entity, ': ', cast(count(*) as string),
        ' rows name an account that the accounts extract does not hold, such as ',
        min(named.account_id)
    ) as observed
from named
left join {{ ref('stg_crm__accounts') }} as accounts
    on named.source_system = accounts.source_system and named.account_id = accounts.account_id
where accounts.account_id is null
group by named.source_system, named.entity
