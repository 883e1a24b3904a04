"""The figures of single accounts: moves, risk, time, and whether potential told what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.report.reading import Marts, Row

MOVES_SHOWN = 15
AT_RISK_SHOWN = 15
SERVED_SHOWN = 8
LACK_OF_TIME = "coverage"


@dataclass(frozen=True)
class Moves:
    """The last month's changes of final tier: an account moves once, however often its month is published."""

    migration: Sequence[Row]  # from_tier, to_tier, account_count, revenue
    causes: Sequence[Row]
    shown: Sequence[Row]
    restated: Sequence[
        Row
    ]  # did not move in the month, but has another tier than was published of it
    restated_count: int
    promoted: int
    demoted: int
    count: int
    has_month_before: bool


@dataclass(frozen=True)
class Risk:
    """Accounts of the best tier that the base would miss; an account may have several reasons."""

    account_count: int
    value: Any
    behaving_count: int  # those with another reason than too little time
    behaving_value: Any
    reasons: Sequence[Row]
    shown: Sequence[Row]  # of those that behave so


@dataclass(frozen=True)
class Time:
    """Hours planned by the service model against hours given."""

    tiers: Sequence[Row]
    under_served: Sequence[Row]
    over_served: Sequence[Row]
    owners: Row  # counts and sums: the report names no person
    given_hours: Any


OF_THE_MONTH = "(select * from tier_moves where as_of = $as_of and move_kind = 'monthly')"
# from what was published first to what is published now
RESTATED = """(
    select
        account_key,
        list(from_tier order by moved_at)[1] as from_tier,
        list(to_tier order by moved_at)[-1] as to_tier,
        list(direction order by moved_at)[-1] as direction,
        list(move_cause order by moved_at)[-1] as move_cause,
        list(from_value order by moved_at)[1] as from_value,
        list(to_value order by moved_at)[-1] as to_value
    from tier_moves where as_of = $as_of and move_kind = 'restated'
    group by account_key
)"""


def read_moves(marts: Marts) -> Moves:
    """Of the month that ends at `as_of`."""
    of = {"as_of": marts.release.manifest.as_of}
    migration = marts.rows(
        "select from_tier, to_tier, account_count, revenue from tier_migration "
        "where month = (select max(month) from tier_migration) and as_of = $as_of",
        **of,
    )
    causes = marts.rows(
        "select move_cause, count(*) filter (where direction = 'promoted') as promoted, "
        "count(*) filter (where direction = 'demoted') as demoted, count(*) as moves "
        f"from {OF_THE_MONTH} group by move_cause order by moves desc, move_cause",
        **of,
    )
    restated = (
        f"(select * from {RESTATED} where from_tier is distinct from to_tier "
        f"and account_key not in (select account_key from {OF_THE_MONTH}))"
    )
    again = f"moves.account_key in (select account_key from {RESTATED})"
    largest = f"""
        select
            moves.account_key, accounts.account_name,
            {{again}} as is_restated,
            moves.from_tier, moves.to_tier, moves.direction, moves.move_cause, moves.from_value,
            moves.to_value, accounts.tier_reason, accounts.override_tier, accounts.stable_tier
        from {{moves}} as moves left join account_tiers as accounts using (account_key)
        order by greatest(coalesce(from_value, 0), coalesce(to_value, 0)) desc, moves.account_key
        limit {MOVES_SHOWN}
        """
    return Moves(
        migration=migration,
        causes=causes,
        shown=marts.rows(largest.format(moves=OF_THE_MONTH, again=again), **of),
        restated=marts.rows(largest.format(moves=restated, again="false"), **of),
        restated_count=marts.row(f"select count(*) as n from {restated}", **of)["n"],
        promoted=sum(row["promoted"] for row in causes),
        demoted=sum(row["demoted"] for row in causes),
        count=sum(row["moves"] for row in causes),
        has_month_before=bool(migration),
    )


def read_risk(marts: Marts) -> Risk:
    """Reasons in the mart's order; accounts by the value that is at risk."""
    total = marts.row(
        "select count(*) as accounts, coalesce(sum(value), 0) as value from "
        "(select account_key, max(value_at_risk) as value from base_at_risk group by account_key)"
    )
    reasons = marts.rows(
        "select reason, count(distinct account_key) as accounts, sum(value) as value, "
        "count(distinct account_key) filter (where severity = 'high') as high from "
        "(select account_key, reason, max(reason_order) as reason_order, min(severity) as severity, "
        "max(value_at_risk) as value from base_at_risk group by account_key, reason) "
        "group by reason order by min(reason_order)"
    )
    query = """
        select
            account_key, max(account_name) as account_name, max(value_at_risk) as value,
            max(revenue_previous) as revenue_previous,
            list({
                'reason': reason, 'rule': rule, 'observed': observed, 'threshold': threshold, 'unit': unit,
                'severity': severity
            } order by reason_order, rule) as reasons
        from base_at_risk group by account_key
        having count(*) filter (where reason <> $time) > 0
        """
    of = {"time": LACK_OF_TIME}
    shown = marts.rows(f"{query} order by value desc, account_key limit {AT_RISK_SHOWN}", **of)
    behaving = marts.row(
        f"select count(*) as accounts, coalesce(sum(value), 0) as value from ({query})", **of
    )
    return Risk(
        account_count=total["accounts"],
        value=total["value"],
        behaving_count=behaving["accounts"],
        behaving_value=behaving["value"],
        reasons=reasons,
        shown=shown,
    )


def read_time(marts: Marts) -> Time:
    """Per tier, and the accounts whose hours are furthest from the plan."""
    tiers = marts.rows(
        """
        select
            final_tier, sum(account_count) as accounts, sum(planned_hours) as planned,
            sum(actual_hours) as given, sum(needed_hours) as needed,
            sum(reallocatable_hours) as spare,
            coalesce(sum(account_count) filter (where coverage_status = 'under_served'), 0)
                as under_served,
            coalesce(sum(account_count) filter (where coverage_status = 'over_served'), 0)
                as over_served
        from service_balance group by final_tier order by min(tier_rank), final_tier
        """
    )
    accounts = """
        select
            coverage.account_key, coverage.account_name, coverage.final_tier,
            coverage.planned_hours, coverage.actual_hours, coverage.hours_gap, tiers.revenue
        from account_coverage as coverage left join account_tiers as tiers using (account_key)
        left join (
            select final_tier, min(tier_rank) as tier_rank from service_balance group by final_tier
        ) as ranks on coverage.final_tier = ranks.final_tier
        """
    return Time(
        tiers=tiers,
        under_served=marts.rows(
            f"{accounts} where coverage.coverage_status = 'under_served' "
            "order by tier_rank, tiers.revenue desc nulls last, coverage.account_key "
            f"limit {SERVED_SHOWN}"
        ),
        over_served=marts.rows(
            f"{accounts} where coverage.coverage_status = 'over_served' "
            "order by reallocatable_hours desc, coverage.account_key "
            f"limit {SERVED_SHOWN}"
        ),
        owners=marts.row(
            "select count(*) as owners, count(*) filter (where is_overloaded) as overloaded, "
            "sum(needed_hours) as needed, sum(available_hours) as available "
            "from owner_capacity where is_known and is_active and available_hours > 0"
        ),
        given_hours=sum(row["given"] or 0 for row in tiers),
    )
