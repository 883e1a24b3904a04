with accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

customers as (
    select * from {{ ref('stg_erp__customers') }}
),

identifiers as (
    select * from {{ ref('stg_run__identifiers') }}
    where normalised is not null
),

written as (
    {% for kind, column in [
        ('vat_number', 'vat_number'),
        ('registration_number', 'registration_number'),
        ('domain', 'website'),
        ('domain', 'email_domain'),
        ('name', 'account_name'),
        ('postal_code', 'postal_code'),
    ] %}
        select
            'accounts' as source_entity,
            accounts.source_system,
            accounts.account_id as source_id,
            '{{ kind }}' as kind,
            accounts.{{ column }} as raw_value,
            coalesce(accounts.country_code, '') as country_code
        from accounts
        where accounts.{{ column }} is not null
        union all
    {% endfor %}
    {% for kind, column in [
        ('vat_number', 'vat_number'),
        ('registration_number', 'registration_number'),
        ('domain', 'email_domain'),
        ('name', 'customer_name'),
        ('postal_code', 'postal_code'),
    ] %}
        select
            'customers' as source_entity,
            customers.source_system,
            customers.customer_id as source_id,
            '{{ kind }}' as kind,
            customers.{{ column }} as raw_value,
            coalesce(customers.country_code, '') as country_code
        from customers
        where customers.{{ column }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

normalised as (
    select distinct
        written.source_entity,
        written.source_system,
        written.source_id,
        written.kind,
        written.country_code,
        identifiers.normalised
    from written
    inner join identifiers
        on
            written.kind = identifiers.kind
            and written.raw_value = identifiers.raw_value
            and written.country_code = identifiers.country_code
)

select * from normalised
