with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

accounts as (
    select
        described.account_sk,
        described.revenue,
        described.revenue_previous,
        described.relationship = 'customer' as is_customer,
        described.is_active and described.final_tier = parameters.best_tier as is_priority,
        companies.account_sk is not null as is_company,
        recurrence.active_months,
        recurrence.observed_months,
        coalesce(contacts.contact_count, 0) as contact_count,
        coalesce(contacts.role_count, 0) as role_count,
        coverage.two_way_count
    from {{ ref('int_account_tiers_described') }} as described
    cross join parameters
    left join {{ ref('int_accounts_of_companies') }} as companies
        on described.account_sk = companies.account_sk
    left join {{ ref('int_account_recurrence') }} as recurrence
        on described.account_sk = recurrence.account_sk
    left join {{ ref('int_account_contacts') }} as contacts
        on described.account_sk = contacts.account_sk
    left join {{ ref('int_account_coverage') }} as coverage
        on described.account_sk = coverage.account_sk
    where not described.is_excluded
),

summed as (
    select
        {% for column, condition in [
            ('customers', 'accounts.is_customer'),
            ('companies', 'accounts.is_customer and accounts.is_company'),
            ('priority', 'accounts.is_priority'),
            ('answering', 'accounts.is_priority and accounts.two_way_count > 0'),
            ('measured', 'accounts.is_priority and accounts.two_way_count is not null'),
        ] %}
            sum(case when {{ condition }} then 1 else 0 end) as {{ column }},
        {% endfor %}
        {% for column, condition, summed in [
            ('revenue', 'accounts.revenue > 0', 'revenue'),
            ('company_revenue', 'accounts.revenue > 0 and accounts.is_company', 'revenue'),
            ('returning_revenue', 'accounts.revenue > 0 and accounts.revenue_previous > 0',
                'revenue'),
            ('active_months', 'accounts.is_customer', 'active_months'),
            ('observed_months', 'accounts.is_customer', 'observed_months'),
            ('contacts', 'accounts.is_priority', 'contact_count'),
            ('roles', 'accounts.is_priority', 'role_count'),
        ] %}
            sum(case when {{ condition }} then accounts.{{ summed }} else 0 end) as {{ column }},
        {% endfor %}
        sum(accounts.contact_count) as all_contacts
    from accounts
),

concentrated as (
    select
        concentration.top_20_active,
        concentration.total
    from {{ ref('int_concentration_measured') }} as concentration
    inner join parameters
        on
            concentration.scheme = parameters.primary_scheme
            and concentration.as_of_index = parameters.as_of_month_index
),

figures as (
    {% for criterion, dividend, divisor in [
        ('b2b_account_share', 'summed.companies', 'summed.customers'),
        ('b2b_revenue_share', 'summed.company_revenue', 'summed.revenue'),
        ('recurrence', 'summed.active_months', 'summed.observed_months'),
        ('returning_revenue_share', 'summed.returning_revenue', 'summed.revenue'),
        ('contacts_per_account', 'summed.contacts',
            'case when summed.all_contacts > 0 then summed.priority end'),
        ('contact_roles_per_account', 'summed.roles',
            'case when summed.all_contacts > 0 then summed.priority end'),
        ('two_way_share', 'summed.answering', 'summed.measured'),
    ] %}
        select
            '{{ criterion }}' as criterion,
            {{ ratio(dividend, divisor) }} as figure
        from summed
        union all
    {% endfor %}
    select
        'concentration' as criterion,
        {{ ratio('concentrated.top_20_active', 'concentrated.total') }} as figure
    from concentrated
)

select * from figures
