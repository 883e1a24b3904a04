with matches as (
    select * from {{ ref('int_identity_matches') }}
    where not is_accepted
),

candidates as (
    select * from {{ ref('int_identity_candidates') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

customers as (
    select * from {{ ref('stg_erp__customers') }}
),

accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

unresolved as (
    select * from {{ ref('int_identity_references_resolved') }}
    where crm_account_id is null or erp_customer_id is null
),

-- the ladder stops between equals
ambiguous as (
    select
        'ambiguous' as reason,
        matches.erp_system,
        matches.erp_customer_id,
        matches.crm_system,
        matches.crm_account_id,
        matches.match_rule,
        matches.match_confidence,
        cast(null as string) as reference
    from matches
),

-- a domain that several use is no proof, but a hint for a steward where nothing else decided
shared_domains as (
    select
        case when candidates.is_contradicted then 'contradicted' else 'shared_domain' end as reason,
        candidates.erp_system,
        candidates.erp_customer_id,
        candidates.crm_system,
        candidates.crm_account_id,
        candidates.rule as match_rule,
        candidates.confidence as match_confidence,
        cast(null as string) as reference
    from candidates
    inner join members
        on
            candidates.erp_system = members.source_system
            and candidates.erp_customer_id = members.source_id
            and members.source_entity = 'customers'
            and members.match_rule = 'unmatched'
    left join matches
        on
            candidates.erp_system = matches.erp_system
            and candidates.erp_customer_id = matches.erp_customer_id
    where
        matches.erp_customer_id is null
        and (candidates.rule = 'domain' or candidates.is_contradicted)
),

dangling as (
    select
        'reference_to_nothing' as reason,
        unresolved.erp_system,
        unresolved.erp_customer_id,
        unresolved.crm_system,
        unresolved.crm_account_id,
        unresolved.rule as match_rule,
        cast(null as decimal(4, 3)) as match_confidence,
        case
            when unresolved.erp_customer_id is null then unresolved.customer_reference
            else unresolved.account_reference
        end as reference
    from unresolved
),

reviews as (
    select * from ambiguous
    union all
    select * from shared_domains
    union all
    select * from dangling
)

select distinct
    md5(concat(
        reviews.reason,
        '|',
        coalesce(reviews.erp_system, ''),
        '|',
        coalesce(reviews.erp_customer_id, ''),
        '|',
        coalesce(reviews.crm_system, ''), '|', coalesce(reviews.crm_account_id, ''), '|',
        reviews.match_rule, '|', coalesce(reviews.reference, '')
    )) as review_id,
    reviews.reason,
    reviews.erp_system,
    reviews.erp_customer_id,
    customers.customer_name,
    reviews.crm_system,
    reviews.crm_account_id,
    accounts.account_name as crm_account_name,
    reviews.match_rule,
    cast(reviews.match_confidence as decimal(4, 3)) as match_confidence,
    reviews.reference
from reviews
left join customers
    on
        reviews.erp_system = customers.source_system
        and reviews.erp_customer_id = customers.customer_id
left join accounts
    on reviews.crm_system = accounts.source_system and reviews.crm_account_id = accounts.account_id
