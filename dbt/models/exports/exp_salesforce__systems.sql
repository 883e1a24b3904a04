with deliveries as (
    select * from {{ ref('stg_run__deliveries') }}
    where entity = 'accounts'
),

-- a company's own profile of Salesforce has the word in its name
systems as (
    select
        source_system as crm_system,
        max(case when lower(profile) like '%salesforce%' then 1 else 0 end) as is_salesforce
    from deliveries
    group by source_system
),

-- without such a profile nothing says which CRM it is, and all of it counts
known as (
    select max(is_salesforce) as is_salesforce from systems
),

final as (
    select systems.crm_system
    from systems
    inner join known on systems.is_salesforce = known.is_salesforce
)

select * from final
