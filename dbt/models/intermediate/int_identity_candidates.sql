with merged as (
    select * from {{ ref('int_crm_accounts_merged') }}
),

accounts as (
    select * from {{ ref('stg_crm__accounts') }}
),

resolved as (
    select * from {{ ref('int_identity_references_resolved') }}
    where crm_account_id is not null and erp_customer_id is not null
),

identifiers as (
    select * from {{ ref('int_identity_identifiers') }}
),

-- name and postal code count together, and never across two known countries
named_places as (
    select
        names.source_entity,
        names.source_system,
        names.source_id,
        'name_postal_code' as kind,
        names.country_code,
        concat(names.normalised, '|', places.normalised) as normalised
    from identifiers as names
    inner join identifiers as places
        on
            names.source_entity = places.source_entity
            and names.source_system = places.source_system
            and names.source_id = places.source_id
            and places.kind = 'postal_code'
    where names.kind = 'name'
),

keys as (
    select * from identifiers
    where kind in ('vat_number', 'registration_number', 'domain')
    union all
    select * from named_places
),

shared_keys as (
    select
        customer_keys.kind as rule,
        1 as evidence_count,
        customer_keys.source_system as erp_system,
        customer_keys.source_id as erp_customer_id,
        account_keys.source_system as crm_system,
        account_keys.source_id as crm_account_id,
        customer_keys.normalised as evidence
    from keys as customer_keys
    inner join keys as account_keys
        on
            customer_keys.kind = account_keys.kind
            and customer_keys.normalised = account_keys.normalised
    where
        customer_keys.source_entity = 'customers'
        and account_keys.source_entity = 'accounts'
        and (
            customer_keys.kind <> 'name_postal_code'
            or customer_keys.country_code = account_keys.country_code
            or customer_keys.country_code = ''
            or account_keys.country_code = ''
        )
),

referenced as (
    select
        resolved.rule,
        count(distinct resolved.written_in) as evidence_count,
        resolved.erp_system,
        resolved.erp_customer_id,
        resolved.crm_system,
        resolved.crm_account_id,
        min(concat('written in ', resolved.written_in)) as evidence
    from resolved
    where resolved.decision = 'same'
    group by
        resolved.rule,
        resolved.erp_system,
        resolved.erp_customer_id,
        resolved.crm_system,
        resolved.crm_account_id
),

evidences as (
    select * from referenced
    union all
    select * from shared_keys
),

-- evidence of a merged account counts for its survivor
surviving as (
    select
        evidences.rule,
        evidences.erp_system,
        evidences.erp_customer_id,
        merged.survivor_system as crm_system,
        merged.survivor_id as crm_account_id,
        max(evidences.evidence_count) as evidence_count,
        min(evidences.evidence) as evidence
    from evidences
    inner join merged
        on
            evidences.crm_system = merged.source_system
            and evidences.crm_account_id = merged.account_id
    group by
        evidences.rule,
        evidences.erp_system,
        evidences.erp_customer_id,
        merged.survivor_system,
        merged.survivor_id
),

forbidden as (
    select distinct
        resolved.erp_system,
        resolved.erp_customer_id,
        merged.survivor_system as crm_system,
        merged.survivor_id as crm_account_id
    from resolved
    inner join merged
        on
            resolved.crm_system = merged.source_system
            and resolved.crm_account_id = merged.account_id
    where resolved.decision = 'different'
),

-- companies of a group share a domain, or a name at one address: their VAT numbers tell them apart
told_apart as (
    select
        surviving.erp_system,
        surviving.erp_customer_id,
        surviving.crm_system,
        surviving.crm_account_id
    from surviving
    inner join merged
        on
            surviving.crm_system = merged.survivor_system
            and surviving.crm_account_id = merged.survivor_id
    inner join identifiers as account_vats
        on
            merged.source_system = account_vats.source_system
            and merged.account_id = account_vats.source_id
            and account_vats.source_entity = 'accounts'
            and account_vats.kind = 'vat_number'
    inner join identifiers as customer_vats
        on
            surviving.erp_system = customer_vats.source_system
            and surviving.erp_customer_id = customer_vats.source_id
            and customer_vats.source_entity = 'customers'
            and customer_vats.kind = 'vat_number'
    group by
        surviving.erp_system,
        surviving.erp_customer_id,
        surviving.crm_system,
        surviving.crm_account_id
    having max(case when account_vats.normalised = customer_vats.normalised then 1 else 0 end) = 0
),

candidates as (
    select
        surviving.erp_system,
        surviving.erp_customer_id,
        surviving.crm_system,
        surviving.crm_account_id,
        surviving.rule,
        rules.rule_order,
        rules.confidence,
        surviving.evidence_count,
        surviving.evidence,
        accounts.is_deleted,
        surviving.rule in ('domain', 'name_postal_code') and told_apart.erp_customer_id is not null
            as is_contradicted
    from surviving
    inner join {{ ref('identity_rules') }} as rules on surviving.rule = rules.rule
    inner join accounts
        on
            surviving.crm_system = accounts.source_system
            and surviving.crm_account_id = accounts.account_id
    left join forbidden
        on
            surviving.erp_system = forbidden.erp_system
            and surviving.erp_customer_id = forbidden.erp_customer_id
            and surviving.crm_system = forbidden.crm_system
            and surviving.crm_account_id = forbidden.crm_account_id
    left join told_apart
        on
            surviving.erp_system = told_apart.erp_system
            and surviving.erp_customer_id = told_apart.erp_customer_id
            and surviving.crm_system = told_apart.crm_system
            and surviving.crm_account_id = told_apart.crm_account_id
    where forbidden.erp_customer_id is null
)

select * from candidates
