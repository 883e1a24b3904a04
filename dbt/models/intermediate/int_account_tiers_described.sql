with accounts as (
    select * from {{ ref('int_accounts') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

finalised as (
    select final_tiers.*
    from {{ ref('int_account_final_tiers') }} as final_tiers
    inner join parameters on final_tiers.as_of = parameters.as_of
),

windows as (
    select windows.*
    from {{ ref('int_account_windows') }} as windows
    inner join parameters on windows.as_of = parameters.as_of
),

hierarchies as (
    select * from {{ ref('int_account_hierarchies') }}
),

ranks as (
    select * from {{ ref('int_account_scheme_ranks') }}
),

before as (
    select
        final_tiers.account_sk,
        final_tiers.final_tier
    from {{ ref('int_account_final_tiers') }} as final_tiers
    inner join parameters on final_tiers.as_of_index = parameters.as_of_month_index - 1
),

moves as (
    select moves.*
    from {{ ref('int_tier_moves_explained') }} as moves
    inner join parameters on moves.as_of = parameters.as_of
),

restatements as (
    select ranked.*
    from (
        select
            restatements.*,
            row_number() over (
                partition by restatements.account_key order by restatements.published_at desc
            ) as recency
        from {{ ref('int_tier_restatements_explained') }} as restatements
        inner join parameters on restatements.as_of = parameters.as_of
        -- tiers of an earlier policy may bear other names
        inner join {{ ref('stg_run__cut_points') }} as cut_points
            on
                parameters.primary_scheme = cut_points.scheme
                and restatements.from_tier = cut_points.tier
    ) as ranked
    where ranked.recency = 1
),

cost_windows as (
    select cost_windows.*
    from {{ ref('int_account_cost_windows') }} as cost_windows
    inner join parameters on cost_windows.as_of_index = parameters.as_of_month_index
),

potentials as (
    select potentials.*
    from {{ ref('int_account_potentials') }} as potentials
    inner join parameters on potentials.as_of_index = parameters.as_of_month_index
),

groups as (
    select
        hierarchies.ultimate_parent_account_sk,
        count(*) as group_account_count,
        cast(sum(windows.revenue) as decimal(18, 4)) as group_revenue,
        cast(sum(windows.gross_margin) as decimal(18, 4)) as group_gross_margin
    from hierarchies
    inner join windows on hierarchies.account_sk = windows.account_sk
    group by hierarchies.ultimate_parent_account_sk
),

-- who stands where among the accounts of a tier that has a cap; set by hand comes first
caps as (
    select
        finalised.account_sk,
        caps.scope,
        row_number() over (
            partition by
                finalised.final_tier,
                caps.scope,
                case when caps.scope = 'per_owner' then accounts.crm_system end,
                case when caps.scope = 'per_owner' then accounts.owner_id end
            order by
                case when finalised.override_tier is not null then 0 else 1 end,
                finalised.value desc nulls last,
                accounts.account_key
        ) - caps.max_accounts as places_beyond
    from finalised
    inner join accounts on finalised.account_sk = accounts.account_sk
    inner join {{ ref('stg_run__caps') }} as caps on finalised.final_tier = caps.tier
    where accounts.is_active and (caps.scope = 'total' or accounts.owner_id is not null)
),

waitlist as (
    select
        caps.account_sk,
        max(case when caps.scope = 'total' then caps.places_beyond end) as total_places_beyond,
        max(case when caps.scope = 'per_owner' then caps.places_beyond end)
            as owner_places_beyond
    from caps
    where caps.places_beyond > 0
    group by caps.account_sk
),

described as (
    select
        accounts.*,
        windows.as_of,
        parents.account_key as parent_account_key,
        ultimate_parents.account_key as ultimate_parent_account_key,
        windows.revenue,
        windows.revenue_previous,
        windows.gross_margin,
        coalesce(cost_windows.rebates, 0) as rebates,
        coalesce(cost_windows.cost_to_serve, 0) as cost_to_serve,
        groups.group_account_count,
        groups.group_revenue,
        groups.group_gross_margin,
        potentials.potential,
        potentials.potential_basis,
        potentials.peer_count as potential_peer_count,
        hierarchies.classified_account_sk,
        classified.account_key as classified_account_key,
        waitlist.total_places_beyond,
        waitlist.owner_places_beyond,
        windows.costed_revenue,
        windows.turnover,
        windows.costed_turnover,
        windows.line_count,
        windows.invoice_count,
        windows.active_months,
        windows.first_invoice_date,
        windows.last_invoice_date,
        finalised.value,
        finalised.value_tier,
        finalised.value_tier_reason,
        finalised.raw_tier,
        finalised.potential_tier,
        finalised.stable_tier,
        finalised.override_tier,
        finalised.override_reason,
        finalised.override_owner,
        finalised.override_valid_to,
        finalised.final_tier,
        finalised.posture,
        finalised.is_new_customer,
        coalesce(restatements.from_tier, before.final_tier) as previous_tier,
        coalesce(restatements.move_cause, moves.move_cause) as move_cause,
        primary_ranks.value_rank,
        primary_ranks.share_before,
        parameters.primary_scheme,
        parameters.reporting_currency,
        parameters.classification_level = 'group' and groups.group_account_count > 1 as is_of_group,
        parameters.demotion_patience_months,
        finalised.patience_months
    from accounts
    cross join parameters
    inner join windows on accounts.account_sk = windows.account_sk
    inner join finalised on accounts.account_sk = finalised.account_sk
    inner join hierarchies on accounts.account_sk = hierarchies.account_sk
    inner join accounts as ultimate_parents
        on hierarchies.ultimate_parent_account_sk = ultimate_parents.account_sk
    left join accounts as parents on hierarchies.parent_account_sk = parents.account_sk
    inner join accounts as classified
        on hierarchies.classified_account_sk = classified.account_sk
    left join groups
        on hierarchies.ultimate_parent_account_sk = groups.ultimate_parent_account_sk
    left join cost_windows on accounts.account_sk = cost_windows.account_sk
    left join potentials on accounts.account_sk = potentials.account_sk
    left join waitlist on accounts.account_sk = waitlist.account_sk
    left join restatements on accounts.account_key = restatements.account_key
    left join ranks as primary_ranks
        on
            -- a condition on this side alone would make DuckDB compare all accounts with all
            case when not accounts.is_excluded then hierarchies.classified_account_sk end
            = primary_ranks.account_sk
            and parameters.primary_scheme = primary_ranks.scheme
    left join before on accounts.account_sk = before.account_sk
    left join moves on accounts.account_sk = moves.account_sk
)

select
    described.*,
    case
        when described.invoice_count > 0 then 'customer'
        when described.first_invoice_date is not null then 'former'
        when described.crm_account_type in ('prospect', 'partner') then described.crm_account_type
        else 'other'
    end as relationship,
    {{ tier_sentence() }} as tier_reason
from described
