"""The figures of the portfolio: totals, tiers, curves, concentration. Money in reporting currency, shares 0..1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.lib.headline import Headline, read_headline
from dagster_project.lib.report.reading import Marts, Row

WINDOW_MONTHS = 12  # where an older manifest does not say
CURVE_STEPS = 150  # a curve is drawn by the accounts nearest to so many steps in either direction
LARGEST_SHOWN = 10


@dataclass(frozen=True)
class Totals:
    """The release in one look."""

    headline: Headline
    as_of: date
    tiers: Sequence[str]  # best first, also those that hold no account
    window_months: int
    window_start: date
    data_since: date | None
    relationships: dict[str, int]
    revenue_previous: Any  # Decimal; None where the extracts do not hold the whole window before
    gross_margin: Any
    gross_margin_rate: float | None  # of the revenue whose cost is known
    cost_coverage: float | None  # share of revenue whose cost is known


@dataclass(frozen=True)
class Curve:
    """A scheme's curve, sampled; `points` hold rank, share, cumulative and net cumulative share."""

    scheme: str
    population: str
    populations: int
    points: Sequence[Row]
    account_count: int
    line: Sequence[Row]  # per tier: accounts, value, where it begins and ends
    largest: Sequence[Row]
    losing_count: int  # accounts below zero
    losing_value: Any
    total: Any  # net


def months_back(day: date, months: int) -> date:
    """The first of the month so many months before."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def read_totals(marts: Marts) -> Totals:
    """From account_tiers, account_monthly and the manifest."""
    manifest = marts.release.manifest
    said = manifest.policy.window_months if manifest.policy else None
    window = said or WINDOW_MONTHS
    start = months_back(manifest.as_of, window)
    sums = marts.row(
        """
        select
            sum(revenue) as revenue, sum(costed_revenue) as costed_revenue,
            sum(gross_margin) as gross_margin
        from account_monthly where month >= $start and month < $as_of
        """,
        start=start,
        as_of=manifest.as_of,
    )
    since = marts.row("select min(month) as month from account_monthly")["month"]
    previous = marts.row(
        "select sum(revenue_previous) as revenue from account_tiers where inactive_since is null"
    )["revenue"]
    is_whole = since is not None and since <= months_back(manifest.as_of, 2 * window)
    relationships = marts.rows(
        "select relationship, count(*) as accounts from account_tiers "
        "where inactive_since is null group by relationship order by accounts desc, relationship"
    )
    headline = read_headline(marts.release)
    return Totals(
        headline=headline,
        as_of=manifest.as_of,
        tiers=list(
            dict.fromkeys(
                [
                    *(manifest.policy.tiers if manifest.policy else ()),
                    *(tier.tier for tier in headline.tiers),
                ]
            )
        ),
        window_months=window,
        window_start=start,
        data_since=since,
        relationships={row["relationship"]: row["accounts"] for row in relationships},
        revenue_previous=previous if is_whole and previous and previous > 0 else None,
        gross_margin=manifest.totals.gross_margin,
        gross_margin_rate=_ratio(sums["gross_margin"], sums["costed_revenue"]),
        cost_coverage=_ratio(sums["costed_revenue"], sums["revenue"]),
    )


def read_curve(marts: Marts, scheme: str) -> Curve | None:
    """The curve of a scheme; of several populations the one that holds most. None where nothing is ranked."""
    populations = marts.rows(
        "select population, sum(value) as total from pareto_curve where scheme = $scheme "
        "group by population order by total desc nulls last, population",
        scheme=scheme,
    )
    if not populations:
        return None
    of = {"scheme": scheme, "population": populations[0]["population"]}
    curve = "(select * from pareto_curve where scheme = $scheme and population = $population)"
    sums = marts.row(
        "select count(*) as n, count(*) filter (where value < 0) as losing_count, "
        "coalesce(sum(value) filter (where value < 0), 0) as losing_value, sum(value) as total "
        f"from {curve}",
        **of,
    )
    return Curve(
        scheme=scheme,
        population=of["population"],
        populations=len(populations),
        points=_sampled(marts, curve, of, count=sums["n"]),
        account_count=sums["n"],
        line=marts.rows(
            "select tier, count(*) as accounts, sum(value) as value, min(value) as begins_at, "
            "max(curve_rank) as last_rank, max(cumulative_share) as cumulative_share "
            f"from {curve} where value > 0 group by tier order by min(curve_rank)",
            **of,
        ),
        largest=marts.rows(
            "select curve_rank, account_key, account_name, value, share, cumulative_share, tier "
            f"from {curve} left join (select account_key, account_name from account_tiers) "
            f"using (account_key) where curve_rank <= {LARGEST_SHOWN} order by curve_rank",
            **of,
        ),
        losing_count=sums["losing_count"],
        losing_value=sums["losing_value"],
        total=sums["total"],
    )


def _sampled(marts: Marts, curve: str, of: dict[str, Any], *, count: int) -> list[Row]:
    """Both ends, the ends of the tiers, the peak, and the accounts nearest to the steps of either axis."""
    return marts.rows(
        f"""
        with marked as (
            select
                curve_rank, cumulative_share, cumulative_share_net, tier, value, share,
                lag(cumulative_share, 1, 0) over ranked as before,
                lead(tier) over ranked is distinct from tier
                or (value > 0) is distinct from (lead(value) over ranked > 0) as is_end
            from {curve} window ranked as (order by curve_rank)
        )
        select curve_rank, share, cumulative_share, cumulative_share_net, tier, value
        from marked
        where curve_rank in (1, $count) or is_end
            or floor(before * $steps) <> floor(cumulative_share * $steps)
            or (curve_rank - 1) * $steps // $count <> curve_rank * $steps // $count
        order by curve_rank
        """,
        count=count,
        steps=CURVE_STEPS,
        **of,
    )


def read_concentration(marts: Marts, scheme: str) -> list[Row]:
    """One row per month that had a customer."""
    return marts.rows(
        "select month, active_count, total, gini, hhi, effective_count, "
        "top_1_percent_of_active_share as top_1, top_5_percent_of_active_share as top_5, "
        "top_20_percent_of_active_share as top_20, accounts_making_80_count as making_80, "
        "major_customer_count from portfolio_concentration "
        "where scheme = $scheme and active_count > 0 and gini is not null order by month",
        scheme=scheme,
    )


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if part is not None and whole is not None and whole > 0 else None
