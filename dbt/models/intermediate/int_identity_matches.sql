with candidates as (
    select * from {{ ref('int_identity_candidates') }}
),

-- a domain proves nothing where several accounts use it: on the CRM side, or among the ERP
-- customers that nothing stronger has matched
stronger as (
    select distinct
        candidates.erp_system,
        candidates.erp_customer_id
    from candidates
    where candidates.rule_order < (
        select rules.rule_order
        from {{ ref('identity_rules') }} as rules
        where rules.rule = 'domain'
    )
),

domain_users as (
    select
        candidates.evidence as domain,
        count(distinct concat(candidates.crm_system, ':', candidates.crm_account_id))
            as account_count,
        count(distinct case
            when stronger.erp_customer_id is null
                then concat(candidates.erp_system, ':', candidates.erp_customer_id)
        end) as customer_count
    from candidates
    left join stronger
        on
            candidates.erp_system = stronger.erp_system
            and candidates.erp_customer_id = stronger.erp_customer_id
    where candidates.rule = 'domain'
    group by candidates.evidence
),

judged as (
    select
        candidates.*,
        coalesce(domain_users.account_count > 1 or domain_users.customer_count > 1, false)
            as is_shared_domain
    from candidates
    left join domain_users
        on case when candidates.rule = 'domain' then candidates.evidence end = domain_users.domain
),

-- the strongest rule decides; among its equals a living account, then a reference written on both
-- sides, then the weaker rules speak, strongest first
scored as (
    select
        judged.erp_system,
        judged.erp_customer_id,
        judged.crm_system,
        judged.crm_account_id,
        min(judged.rule_order) as best_rule_order,
        sum(judged.evidence_count * cast(power(4, 7 - judged.rule_order) as bigint))
            as evidence_score,
        max(case when judged.is_deleted then 0 else 1 end) as is_alive
    from judged
    where not judged.is_shared_domain and not coalesce(judged.is_contradicted, false)
    group by
        judged.erp_system,
        judged.erp_customer_id,
        judged.crm_system,
        judged.crm_account_id
),

ranked as (
    select
        scored.*,
        rank() over (
            partition by scored.erp_system, scored.erp_customer_id
            order by scored.best_rule_order, scored.is_alive desc, scored.evidence_score desc
        ) as candidate_rank
    from scored
),

winners as (
    select
        ranked.*,
        count(*) over (partition by ranked.erp_system, ranked.erp_customer_id) as winner_count
    from ranked
    where ranked.candidate_rank = 1
),

matches as (
    select
        winners.erp_system,
        winners.erp_customer_id,
        winners.crm_system,
        winners.crm_account_id,
        rules.rule as match_rule,
        rules.confidence as match_confidence,
        winners.winner_count,
        winners.winner_count = 1 as is_accepted
    from winners
    inner join {{ ref('identity_rules') }} as rules on winners.best_rule_order = rules.rule_order
)

select * from matches
