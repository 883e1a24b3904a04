with members as (
    select * from {{ ref('int_account_members') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

crm_accounts as (
    select
        members.account_sk,
        accounts.*
    from members
    inner join {{ ref('stg_crm__accounts') }} as accounts
        on
            members.source_system = accounts.source_system
            and members.source_id = accounts.account_id
    where members.match_rule = 'survivor'
),

-- of several ERP customers the smallest (system, id) speaks where the CRM is silent
erp_customers as (
    select ranked.*
    from (
        select
            members.account_sk,
            customers.*,
            row_number() over (
                partition by members.account_sk
                order by customers.source_system, customers.customer_id
            ) as customer_order
        from members
        inner join {{ ref('stg_erp__customers') }} as customers
            on
                members.source_system = customers.source_system
                and members.source_id = customers.customer_id
        where members.source_entity = 'customers'
    ) as ranked
    where ranked.customer_order = 1
),

grouped as (
    select
        members.account_sk,
        members.account_key,
        max(case when members.source_entity = 'customers' then members.source_id end)
            as any_customer_id,
        max(case when members.match_rule = 'placeholder' then 1 else 0 end) = 1 as is_placeholder,
        max(case when customers.is_one_time then 1 else 0 end) = 1 as is_one_time,
        max(case when customers.is_intercompany then 1 else 0 end) = 1 as is_intercompany
    from members
    -- a condition on one side alone makes DuckDB compare each member with each customer
    left join {{ ref('stg_erp__customers') }} as customers
        on
            members.source_system = customers.source_system
            and case when members.source_entity = 'customers' then members.source_id end
            = customers.customer_id
    group by members.account_sk, members.account_key
),

assembled as (
    select
        grouped.account_sk,
        grouped.account_key,
        coalesce(crm_accounts.account_name, erp_customers.customer_name, grouped.any_customer_id)
            as account_name,
        crm_accounts.account_type as crm_account_type,
        coalesce(crm_accounts.country_code, erp_customers.country_code) as country_code,
        crm_accounts.region,
        coalesce(crm_accounts.city, erp_customers.city) as city,
        coalesce(crm_accounts.postal_code, erp_customers.postal_code) as postal_code,
        crm_accounts.industry,
        erp_customers.business_unit,
        crm_accounts.website,
        coalesce(crm_accounts.email_domain, erp_customers.email_domain) as email_domain,
        crm_accounts.linkedin_url,
        crm_accounts.employee_count,
        crm_accounts.declared_potential,
        crm_accounts.potential_currency,
        crm_accounts.owner_id,
        crm_accounts.source_system as crm_system,
        crm_accounts.account_id as crm_account_id,
        cast(crm_accounts.created_at as date) as created_date,
        not coalesce(crm_accounts.is_deleted, false) as is_active,
        grouped.is_placeholder,
        case
            when grouped.is_intercompany and parameters.exclude_intercompany then 'intercompany'
            when grouped.is_one_time and parameters.exclude_one_time then 'one_time'
            when grouped.is_placeholder and parameters.exclude_placeholders then 'placeholder'
        end as excluded_reason
    from grouped
    cross join parameters
    left join crm_accounts on grouped.account_sk = crm_accounts.account_sk
    left join erp_customers on grouped.account_sk = erp_customers.account_sk
)

select
    assembled.*,
    assembled.excluded_reason is not null as is_excluded,
    size_bands.size_band
from assembled
left join {{ ref('size_bands') }} as size_bands
    on
        assembled.employee_count >= size_bands.min_employees
        and assembled.employee_count
        <= coalesce(size_bands.max_employees, assembled.employee_count)
