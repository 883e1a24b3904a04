with described as (
    select * from {{ ref('int_account_tiers_described') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

ranks as (
    select * from {{ ref('int_account_scheme_ranks') }}
),

live as (
    select * from {{ ref('stg_run__live_account_tiers') }}
),

present as (
    select
        described.account_key,
        described.account_name,
        described.relationship,
        described.as_of,
        described.is_active,
        described.is_excluded,
        described.excluded_reason,
        described.is_placeholder,
        described.parent_account_key,
        described.ultimate_parent_account_key,
        described.country_code,
        described.industry,
        described.owner_id,
        cast(described.revenue as decimal(18, 4)) as revenue,
        cast(described.revenue_previous as decimal(18, 4)) as revenue_previous,
        cast(
            case when described.line_count = 0 then 0 else described.gross_margin end
            as decimal(18, 4)
        ) as gross_margin,
        {{ ratio('described.gross_margin', 'described.costed_revenue') }} as gross_margin_rate,
        {{ ratio('described.costed_turnover', 'described.turnover') }} as cost_coverage,
        cast(described.rebates as decimal(18, 4)) as rebates,
        cast(described.cost_to_serve as decimal(18, 4)) as cost_to_serve,
        cast(
            case when described.line_count = 0 then 0 else described.gross_margin end
            - described.rebates - described.cost_to_serve as decimal(18, 4)
        ) as net_margin,
        described.group_account_count,
        described.group_revenue,
        described.group_gross_margin,
        described.classified_account_key,
        described.first_invoice_date,
        described.last_invoice_date,
        described.invoice_count,
        described.active_months,
        described.is_new_customer,
        {% for scheme in ['revenue', 'gross_margin', 'net_margin', 'potential'] %}
            {{ scheme }}_ranks.value_rank as {{ scheme }}_rank,
            {{ scheme }}_ranks.share as {{ scheme }}_share,
            {{ scheme }}_ranks.share_before as {{ scheme }}_share_before,
            {{ scheme }}_ranks.cumulative_share as {{ scheme }}_cumulative_share,
            {{ scheme }}_ranks.tier as {{ scheme }}_tier,
            {{ scheme }}_ranks.distance as {{ scheme }}_distance,
        {% endfor %}
        coalesce(
            revenue_ranks.tier <> gross_margin_ranks.tier
            or revenue_ranks.tier <> net_margin_ranks.tier
            or gross_margin_ranks.tier <> net_margin_ranks.tier,
            false
        ) as has_scheme_disagreement,
        described.potential,
        described.potential_basis,
        described.potential_peer_count,
        described.value_tier,
        described.raw_tier,
        described.stable_tier,
        described.override_tier,
        described.final_tier,
        described.posture,
        case
            when described.total_places_beyond is not null then 'total'
            when described.owner_places_beyond is not null then 'per_owner'
        end as cap_exceeded,
        coalesce(described.total_places_beyond, described.owner_places_beyond)
            as waitlist_position,
        described.tier_reason,
        described.previous_tier,
        described.move_cause,
        recurrence.share_of_months_with_invoices,
        recurrence.buying_cadence_days,
        recurrence.regularity,
        recurrence.recurring_revenue_share,
        risks.is_at_risk,
        risks.risk_reasons,
        coverage.coverage_status,
        coverage.hours_gap as coverage_hours_gap,
        plays.next_play_id,
        plays.play_trigger as next_play_trigger,
        plays.next_play_title_en,
        plays.next_play_title_fr,
        cast(null as date) as inactive_since
    from described
    inner join {{ ref('int_account_recurrence') }} as recurrence
        on described.account_sk = recurrence.account_sk
    inner join {{ ref('int_account_risks') }} as risks
        on described.account_sk = risks.account_sk
    left join {{ ref('int_account_coverage') }} as coverage
        on described.account_sk = coverage.account_sk
    left join {{ ref('int_account_next_plays') }} as plays
        on described.account_sk = plays.account_sk
    {% for scheme in ['revenue', 'gross_margin', 'net_margin', 'potential'] %}
        left join ranks as {{ scheme }}_ranks
            on
                case when not described.is_excluded then described.classified_account_sk end
                = {{ scheme }}_ranks.account_sk
                and {{ scheme }}_ranks.scheme = '{{ scheme }}'
    {% endfor %}
),

-- an account that the extracts no longer hold keeps its row, without money, for the policy's days
removed as (
    select
        live.account_key,
        live.account_name,
        live.relationship,
        parameters.as_of,
        false as is_active,
        false as is_excluded,
        live.country_code,
        live.industry,
        live.owner_id,
        live.final_tier,
        live.posture,
        coalesce(live.inactive_since, parameters.as_of) as inactive_since
    from live
    cross join parameters
    left join present on live.account_key = present.account_key
    where
        present.account_key is null
        and parameters.as_of
        <= {{ add_days(
            'coalesce(live.inactive_since, parameters.as_of)', 'parameters.inactive_days'
        ) }}
),

every_account as (
    select * from present
    union all
    select
        removed.account_key,
        removed.account_name,
        removed.relationship,
        removed.as_of,
        removed.is_active,
        removed.is_excluded,
        cast(null as string) as excluded_reason,
        false as is_placeholder,
        cast(null as string) as parent_account_key,
        removed.account_key as ultimate_parent_account_key,
        removed.country_code,
        removed.industry,
        removed.owner_id,
        cast(0 as decimal(18, 4)) as revenue,
        cast(0 as decimal(18, 4)) as revenue_previous,
        cast(0 as decimal(18, 4)) as gross_margin,
        cast(null as double) as gross_margin_rate,
        cast(null as double) as cost_coverage,
        cast(0 as decimal(18, 4)) as rebates,
        cast(0 as decimal(18, 4)) as cost_to_serve,
        cast(0 as decimal(18, 4)) as net_margin,
        cast(1 as bigint) as group_account_count,
        cast(0 as decimal(18, 4)) as group_revenue,
        cast(0 as decimal(18, 4)) as group_gross_margin,
        removed.account_key as classified_account_key,
        cast(null as date) as first_invoice_date,
        cast(null as date) as last_invoice_date,
        cast(0 as bigint) as invoice_count,
        cast(0 as bigint) as active_months,
        false as is_new_customer,
        {% for scheme in ['revenue', 'gross_margin', 'net_margin', 'potential'] %}
            cast(null as bigint) as {{ scheme }}_rank,
            cast(null as double) as {{ scheme }}_share,
            cast(null as double) as {{ scheme }}_share_before,
            cast(null as double) as {{ scheme }}_cumulative_share,
            cast(null as string) as {{ scheme }}_tier,
            cast(null as decimal(18, 4)) as {{ scheme }}_distance,
        {% endfor %}
        false as has_scheme_disagreement,
        cast(null as decimal(18, 4)) as potential,
        cast(null as string) as potential_basis,
        cast(null as bigint) as potential_peer_count,
        cast(null as string) as value_tier,
        cast(null as string) as raw_tier,
        cast(null as string) as stable_tier,
        cast(null as string) as override_tier,
        removed.final_tier,
        removed.posture,
        cast(null as string) as cap_exceeded,
        cast(null as bigint) as waitlist_position,
        'No longer in the extracts.' as tier_reason,
        removed.final_tier as previous_tier,
        cast(null as string) as move_cause,
        cast(null as double) as share_of_months_with_invoices,
        cast(null as double) as buying_cadence_days,
        cast(null as double) as regularity,
        cast(null as double) as recurring_revenue_share,
        false as is_at_risk,
        cast(null as string) as risk_reasons,
        cast(null as string) as coverage_status,
        cast(null as decimal(18, 4)) as coverage_hours_gap,
        cast(null as string) as next_play_id,
        cast(null as string) as next_play_trigger,
        cast(null as string) as next_play_title_en,
        cast(null as string) as next_play_title_fr,
        removed.inactive_since
    from removed
),

hashed as (
    select
        every_account.*,
        {{ row_hash('every_account', account_tiers_business_columns()) }} as row_hash
    from every_account
)

select
    hashed.*,
    case
        when not parameters.has_live_release then cast(parameters.as_of as timestamp)
        when hashed.row_hash = live.row_hash then live.updated_at
        else parameters.run_at
    end as updated_at
from hashed
cross join parameters
left join live on hashed.account_key = live.account_key
