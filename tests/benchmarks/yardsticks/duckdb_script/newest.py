"""The newest month: each account described, its rhythm of buying, its risks, its plays and its service plan.

Rules and plays of a company are read from the project's seeds, as the product reads them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.benchmarks.yardsticks.duckdb_script import history

SEEDS = Path(__file__).parents[4] / "dbt" / "seeds"

# Days between the first invoices of months with one, over two years; one interval alone is no habit.
RHYTHM = """
create table rhythm as
with purchases as (
    select
        account,
        first_invoice_date
        - lag(first_invoice_date) over (partition by account order by m) as days
    from account_months
    where m >= 12 and invoice_count > 0
)
select
    account,
    count(days) as intervals,
    median(days) as median_days,
    sum(days)::bigint as day_sum,
    sum(days * days)::bigint as square_sum
from purchases
group by account
"""

SUMS = """
create table sums as
select
    account,
    sum(revenue) filter (m between 12 and 23)::bigint as revenue_previous,
    sum(cost) filter (m between 12 and 23)::bigint as cost_previous,
    sum(costed_revenue) filter (m between 12 and 23)::bigint as costed_revenue_previous,
    sum(5 * costed_turnover - 4 * turnover) filter (m between 12 and 23) >= 0 as was_covered,
    sum(costed_revenue) filter (m >= 24)::bigint as costed_revenue,
    sum(turnover) filter (m >= 24)::bigint as turnover,
    sum(costed_turnover) filter (m >= 24)::bigint as costed_turnover,
    sum(costed_line_count) filter (m >= 24) > 0 as is_costed,
    count(*) filter (m >= 24 and invoice_count > 0) as active_months,
    max(last_invoice_date) as last_invoice_date
from account_months
group by account
"""

NEWEST = """
create table newest as
with described as (
    select
        tiers.* exclude (w, invoice_count, rank_after),
        accounts.account_key,
        accounts.account_name,
        accounts.country_code,
        accounts.industry,
        accounts.owner_id,
        facts.first_invoice_date,
        facts.first_invoice_m,
        sums.* exclude (account, active_months, revenue_previous),
        coalesce(sums.revenue_previous, 0) as revenue_previous,
        coalesce(sums.active_months, 0) as active_months,
        tiers.invoice_count,
        {posture} as posture,
        case
            when tiers.invoice_count > 0 then 'customer'
            when facts.first_invoice_date is not null then 'former'
            when accounts.account_type in ('prospect', 'partner') then accounts.account_type
            else 'other'
        end as relationship,
        case when sums.is_costed then tiers.margin end as costed_margin,
        moves.move_cause,
        moves.direction,
        case when facts.first_invoice_m is not null then least(12, 36 - facts.first_invoice_m) end
            as observed_months,
        date '{as_of}' - sums.last_invoice_date as days_since_last_invoice,
        case when rhythm.intervals >= 2 then rhythm.median_days end as buying_cadence_days,
        case
            when rhythm.intervals >= 2
                then share(
                    greatest(
                        0::double,
                        rhythm.day_sum
                        - sqrt(
                            (
                                rhythm.intervals * rhythm.square_sum
                                - rhythm.day_sum * rhythm.day_sum
                            )::double
                        )
                    ),
                    rhythm.day_sum
                )
        end as regularity,
        case
            when
                sums.costed_revenue > 0 and sums.costed_revenue_previous > 0
                and tiers.is_covered and sums.was_covered
                then round(
                    share(
                        sums.costed_revenue_previous - sums.cost_previous,
                        sums.costed_revenue_previous
                    )
                    - share(tiers.margin, sums.costed_revenue),
                    12
                )
        end as margin_slide,
        case
            when sums.revenue_previous > 0
                then share(sums.revenue_previous - tiers.revenue, sums.revenue_previous)
        end as fall
    from (select * from tiers where w = 36) as tiers
    inner join accounts using (account)
    inner join account_facts as facts using (account)
    left join sums using (account)
    left join rhythm using (account)
    left join (
        select
            account,
            move_cause,
            case
                when rank_before is null then null
                when stable_rank < rank_before then 'promoted'
                else 'demoted'
            end as direction
        from moves
        where w = 36
    ) as moves using (account)
),
risks as (
    select
        *,
        case
            when stable_rank = 1 and first_invoice_date is not null
                then coalesce(
                    share(days_since_last_invoice, buying_cadence_days) > 2,
                    days_since_last_invoice > 180
                )
        end is true as is_silent,
        stable_rank = 1 and coalesce(fall > 0.2, false) as is_falling,
        stable_rank = 1 and coalesce(margin_slide > 0.05, false) as is_sliding
    from described
)
select
    *,
    -- one bit per signal of `play_triggers`, at the place of its urgency
    (1 << 15)
    + case when is_silent then 1 << 1 else 0 end
    + case
        when relationship = 'customer' and revenue_previous > 0 and 4 * revenue_previous > 5 * revenue
            then 1 << 2
        else 0
    end
    + case when is_sliding then 1 << 3 else 0 end
    + case when costed_margin < 0 and 5 * costed_turnover >= 4 * turnover then 1 << 7 else 0 end
    + case
        when relationship <> 'customer' or direction is null then 0
        when direction = 'promoted' then 1 << 8
        else 1 << 9
    end
    + case when is_new_customer then 1 << 10 else 0 end
    + case when first_invoice_date is null and stable_rank < 3 then 1 << 13 else 0 end
    + case when relationship = 'former' then 1 << 14 else 0 end as signals
from risks
"""

# Accounts of the same tier and posture with the same signals have the same plays: each such case is ranked once.
PLAYS = """
create table plays as
with cases as (
    select distinct tier(stable_rank) as tier, posture, signals from newest
),
fitting as (
    select
        cases.*,
        book.play_id,
        book.play_trigger,
        book.play_kind,
        book.title_en,
        book.title_fr,
        triggers.urgency,
        book.priority
    from cases
    inner join read_csv('{seeds}/play_triggers.csv') as triggers
        on cases.signals & (1 << triggers.urgency) <> 0
    inner join read_csv('{seeds}/tier_plays.csv') as book
        on
            triggers.play_trigger = book.play_trigger
            and book.tier in (cases.tier, '*')
            and book.posture in (cases.posture, '*')
),
firsts as (
    select *
    from fitting
    qualify
        row_number() over (
            partition by tier, posture, signals, play_kind order by urgency, priority, play_id
        ) = 1
)
select
    *,
    row_number() over (
        partition by tier, posture, signals order by urgency, priority, play_id
    ) as play_rank
from firsts
"""

COVERAGE = """
create table coverage as
with cases as (
    select distinct stable_rank, relationship from newest
),
planned as (
    select cases.*, model.* exclude (tier, relationship)
    from cases
    inner join read_csv('{seeds}/service_model.csv') as model
        on tier(cases.stable_rank) = model.tier and model.relationship in (cases.relationship, 'any')
    qualify
        row_number() over (
            partition by cases.stable_rank, cases.relationship order by model.relationship = 'any'
        ) = 1
)
select
    newest.account,
    newest.account_key,
    newest.account_name,
    newest.stable_rank,
    newest.relationship,
    newest.owner_id,
    newest.revenue,
    planned.hours_per_year,
    planned.touches_per_year,
    planned.cadence_days,
    planned.channels
from newest
inner join planned using (stable_rank, relationship)
"""

TIERS = """
select
    newest.account_key,
    newest.account_name,
    newest.relationship,
    date '{as_of}' as as_of,
    newest.account_key as ultimate_parent_account_key,
    newest.account_key as classified_account_key,
    newest.country_code,
    newest.industry,
    newest.owner_id,
    money(newest.revenue) as revenue,
    money(newest.revenue_previous) as revenue_previous,
    money(newest.margin) as gross_margin,
    money(newest.margin) as net_margin,
    money(newest.revenue) as group_revenue,
    money(newest.costed_margin) as group_gross_margin,
    share(newest.costed_margin, newest.costed_revenue) as gross_margin_rate,
    share(newest.costed_turnover, newest.turnover) as cost_coverage,
    newest.first_invoice_date,
    newest.last_invoice_date,
    newest.invoice_count,
    newest.active_months,
    newest.is_new_customer,
    {schemes},
    newest.raw_rank <> newest.margin_rank as has_scheme_disagreement,
    tier(newest.raw_rank) as value_tier,
    tier(newest.raw_rank) as raw_tier,
    tier(newest.stable_rank) as stable_tier,
    tier(newest.stable_rank) as final_tier,
    newest.posture,
    case
        when newest.stable_rank <> newest.raw_rank
            then 'Held at ' || tier(newest.stable_rank) || ': this month alone would give '
                || tier(newest.raw_rank)
                || case
                    when newest.is_new_customer and 36 - newest.first_invoice_m > 3
                        then '; a new customer keeps its best tier since its first invoice ('
                            || newest.first_invoice_date || ').'
                    else '; a demotion needs 3 months in a row.'
                end
        when newest.revenue_value > 0
            then tier(newest.stable_rank) || ': revenue ' || money(newest.revenue)::decimal(18, 2)
                || ' EUR, rank ' || revenue_curve.curve_rank || '; the accounts before it hold '
                || (100 * revenue_curve.share_before)::decimal(9, 2) || '% of the total.'
        when newest.revenue_value is null
            then tier(newest.stable_rank) || ': no invoice in the window.'
        else tier(newest.stable_rank) || ': its revenue of the window is not positive ('
            || money(newest.revenue)::decimal(18, 2) || ' EUR).'
    end as tier_reason,
    case when newest.rank_before is not null then tier(newest.rank_before) end as previous_tier,
    newest.move_cause,
    share(newest.active_months, newest.observed_months) as share_of_months_with_invoices,
    newest.buying_cadence_days,
    newest.regularity,
    case when newest.revenue > 0 then 0::double end as recurring_revenue_share,
    newest.is_silent or newest.is_falling or newest.is_sliding as is_at_risk,
    nullif(
        concat_ws(
            ', ',
            case when newest.is_silent then 'recency' end,
            case when newest.is_falling then 'trend' end,
            case when newest.is_sliding then 'margin_slide' end
        ),
        ''
    ) as risk_reasons,
    'no_activity_data' as coverage_status,
    plays.play_id as next_play_id,
    plays.play_trigger as next_play_trigger,
    plays.title_en as next_play_title_en,
    plays.title_fr as next_play_title_fr
from newest
cross join (select * from revenue_lines where w = 36) as revenue_lines
cross join (select * from margin_lines where w = 36) as margin_lines
left join pareto as revenue_curve
    on newest.account = revenue_curve.account and revenue_curve.scheme = 'revenue'
left join pareto as margin_curve
    on newest.account = margin_curve.account and margin_curve.scheme = 'gross_margin'
left join plays
    on
        newest.signals = plays.signals
        and newest.posture = plays.posture
        and tier(newest.stable_rank) = plays.tier
        and plays.play_rank = 1
order by newest.account
"""
SCHEME = """
case when {curve}.value > 0 then {curve}.curve_rank end as {name}_rank,
{curve}.share as {name}_share,
{curve}.share_before as {name}_share_before,
{curve}.cumulative_share as {name}_cumulative_share,
tier(newest.{rank}) as {name}_tier,
{distance} as {name}_distance
"""

MARTS = {
    "account_plays": """
        select newest.account_key, plays.play_rank, play_id, play_trigger, play_kind
        from newest
        inner join plays
            on
                newest.signals = plays.signals
                and newest.posture = plays.posture
                and tier(newest.stable_rank) = plays.tier
        order by newest.account, plays.play_rank
    """,
    "base_at_risk": """
        with seen as (
            select
                account,
                'recency' as reason,
                1 as reason_order,
                case when buying_cadence_days is null then 'recency_without_cadence' else 'recency' end
                    as rule,
                coalesce(
                    share(days_since_last_invoice, buying_cadence_days), days_since_last_invoice
                ) as observed,
                case when buying_cadence_days is null then 180 else 2 end::double as threshold,
                case when buying_cadence_days is null then 365 else 4 end as high_threshold,
                case when buying_cadence_days is null then 'days' else 'times_cadence' end as unit
            from newest
            where is_silent
            union all
            select account, 'trend', 2, 'trend', fall, 0.2, 0.5, 'share' from newest where is_falling
            union all
            select account, 'margin_slide', 3, 'margin_slide', margin_slide, 0.05, 0.15, 'rate'
            from newest
            where is_sliding
        )
        select
            newest.account_key,
            seen.reason,
            seen.reason_order,
            newest.account_name,
            date '{as_of}' as as_of,
            newest.owner_id,
            seen.rule,
            seen.observed,
            seen.threshold,
            seen.unit,
            case when seen.observed > seen.high_threshold then 'high' else 'medium' end as severity,
            money(newest.revenue) as value_at_risk,
            money(newest.revenue_previous) as revenue_previous
        from seen
        inner join newest using (account)
        order by seen.account, seen.reason_order
    """,
    "account_coverage": """
        select
            account_key,
            account_name,
            date '{as_of}' as as_of,
            tier(stable_rank) as final_tier,
            relationship,
            case when owner_id is not null then 'crm' end as owner_system,
            owner_id,
            hours_per_year::decimal(18, 4) as planned_hours,
            touches_per_year::decimal(18, 4) as planned_touches,
            cadence_days,
            'no_activity_data' as coverage_status,
            channels
        from coverage
        order by account
    """,
    "service_balance": """
        select
            tier(stable_rank) as final_tier,
            'no_activity_data' as coverage_status,
            date '{as_of}' as as_of,
            stable_rank as tier_rank,
            count(*) as account_count,
            sum(hours_per_year)::decimal(18, 4) as planned_hours,
            sum(touches_per_year)::decimal(18, 4) as planned_touches,
            money(sum(revenue)) as revenue
        from coverage
        group by stable_rank
    """,
    "owner_capacity": """
        with counted as (
            select owner_id, stable_rank, count(*) as account_count, sum(hours_per_year) as hours
            from coverage
            group by owner_id, stable_rank
        )
        select
            coalesce('crm:users:' || owner_id, 'unowned') as owner_key,
            case when owner_id is not null then 'crm' end as owner_system,
            owner_id,
            date '{as_of}' as as_of,
            sum(account_count)::bigint as account_count,
            coalesce(sum(account_count) filter (stable_rank = 1), 0)::bigint as best_tier_account_count,
            coalesce(sum(account_count) filter (stable_rank = 3), 0)::bigint as lowest_tier_account_count,
            string_agg(tier(stable_rank) || ' ' || account_count, ', ' order by stable_rank)
                as accounts_by_tier,
            sum(hours)::decimal(18, 4) as needed_hours,
            coalesce(sum(hours) filter (stable_rank = 1), 0)::decimal(18, 4) as best_tier_needed_hours
        from counted
        group by owner_id
    """,
    "published_tiers": """
        select
            newest.account_key,
            date '{as_of}' as as_of,
            date '{as_of}'::timestamp as published_at,
            tier(stable_rank) as final_tier,
            money(revenue_value) as value,
            tier(raw_rank) as value_tier,
            tier(stable_rank) as stable_tier,
            posture,
            md5(
                case
                    when accounts.crm_account_id is null or accounts.customer_id is null
                        then newest.account_key
                    else newest.account_key || '|erp:customers:' || accounts.customer_id
                end
            ) as members_hash
        from newest
        inner join accounts using (account)
        order by newest.account
    """,
    "account_members": """
        select
            account_key,
            'crm' as source_system,
            'accounts' as source_entity,
            crm_account_id as source_id,
            'survivor' as match_rule,
            true as is_survivor
        from accounts
        where crm_account_id is not null
        union all
        select
            account_key,
            'erp',
            'customers',
            customer_id,
            case when crm_account_id is null then 'unmatched' else 'cross_reference' end,
            crm_account_id is null
        from accounts
        where customer_id is not null
    """,
    "account_aliases": """
        select 'erp:customers:' || customer_id as alias_key, account_key
        from accounts
        where customer_id is not null and crm_account_id is not null
    """,
}


def build(connection: duckdb.DuckDBPyConnection, as_of: str) -> None:
    """The tables `newest`, `plays` and `coverage`."""
    connection.execute(RHYTHM)
    connection.execute(SUMS)
    connection.execute(NEWEST.format(as_of=as_of, posture=history.POSTURE))
    connection.execute(PLAYS.format(seeds=SEEDS))
    connection.execute(COVERAGE.format(seeds=SEEDS))


def marts(as_of: str) -> dict[str, str]:
    """The queries of the marts, by name."""
    schemes = ", ".join(
        SCHEME.format(
            curve=f"{scheme}_curve",
            name=name,
            rank=rank,
            distance=history.distance(scheme, f"newest.{rank}"),
        )
        for scheme, name, rank in history.SCHEMES
    )
    found = {mart: query.format(as_of=as_of) for mart, query in MARTS.items()}
    return {"account_tiers": TIERS.format(as_of=as_of, schemes=schemes), **found}
