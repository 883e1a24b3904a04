"""Recurrence, base at risk and readiness a second time, apart from the warehouse.

As `lib/reference.py` has the tiers: for tests that must not share a line with the SQL they judge.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Any

from dagster_project.lib.reference_time import window_start

Row = Mapping[str, Any]
PLACES = 12


def recurrence(
    invoices: Iterable[date], *, as_of: date, window_months: int
) -> dict[str, int | float | None]:
    """Say how regularly an account buys, from the days of its invoices.

    Args:
        invoices: days of invoices (no credit notes, none cancelled), in any order, repeated or not.
        as_of: first day of a month; invoices of that day and later do not count.
        window_months: whole months before as_of.
    """
    days = sorted(day for day in set(invoices) if day < as_of)
    start = window_start(as_of, window_months)
    months = {_month(day) for day in days if day >= start}
    observed = None if not days else min(window_months, _month(as_of) - _month(days[0]))
    # the first invoice of each month, over the window and the one before
    firsts: dict[int, date] = {}
    for day in days:
        if day >= window_start(as_of, 2 * window_months):
            firsts.setdefault(_month(day), day)
    bought = sorted(firsts.values())
    gaps = [(later - day).days for day, later in pairwise(bought)]
    return {
        "active_months": len(months),
        "observed_months": observed,
        "share_of_months_with_invoices": round(len(months) / observed, PLACES)
        if observed
        else None,
        "interval_count": len(gaps),
        "mean_interval_days": round(sum(gaps) / len(gaps), PLACES) if gaps else None,
        "buying_cadence_days": float(median(gaps)) if len(gaps) > 1 else None,
        "regularity": _regularity(gaps) if len(gaps) > 1 else None,
        "days_since_last_invoice": (as_of - days[-1]).days if days else None,
    }


def risk_reasons(account: Row, rules: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Say for which reasons an account of the base is at risk.

    Args:
        account: buying_cadence_days, days_since_last_invoice, revenue, revenue_previous, margin and
            margin_previous (pairs of margin and revenue of known cost, None where too little is
            known), nps and csat (latest answer or None), and of its coverage coverage_status,
            actual_hours, planned_hours, tolerance_percent, is_overdue, days_waited, cadence_days.
        rules: rows of risk_rules as text.

    Returns:
        By reason, in the order of the rules: rule, observed, severity.
    """
    seen = _seen(account)
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        exact = seen.get(rule["rule"])
        if exact is None:
            continue
        figure = _published(exact)
        line = rule["threshold"]
        if not line:
            line = str(Fraction(100 - int(account["tolerance_percent"]), 100))
        if not _is_beyond(figure, rule["comparison"], Fraction(line)):
            continue
        is_high = _is_beyond(figure, rule["comparison"], Fraction(rule["high_threshold"]))
        told = {
            "rule": rule["rule"],
            "observed": float(figure),
            "severity": "high" if is_high else "medium",
        }
        before = found.get(rule["reason"])
        ordered = [one for one in (before, told) if one is not None]
        found[rule["reason"]] = min(ordered, key=lambda one: (one["severity"], one["rule"]))
    return found


def _seen(account: Row) -> dict[str, Fraction | None]:
    cadence, waited = account["buying_cadence_days"], account["days_since_last_invoice"]
    before, revenue = account["revenue_previous"], account["revenue"]
    margin, margin_before = account["margin"], account["margin_previous"]
    slide = None
    if margin and margin_before:
        rates = [
            _published(Fraction(part) / Fraction(whole)) for part, whole in (margin_before, margin)
        ]
        slide = rates[0] - rates[1]
    planned, contact = account["planned_hours"], account["cadence_days"]
    return {
        "recency": Fraction(waited) / Fraction(cadence) if cadence is not None else None,
        "recency_without_cadence": Fraction(waited) if cadence is None else None,
        "trend": Fraction(before - revenue) / Fraction(before) if before > 0 else None,
        "margin_slide": slide,
        "satisfaction_nps": _fraction(account["nps"]),
        "satisfaction_csat": _fraction(account["csat"]),
        "coverage_hours": Fraction(account["actual_hours"]) / Fraction(planned)
        if planned and account["actual_hours"] is not None
        else None,
        "coverage_overdue": Fraction(account["days_waited"], contact)
        if account["is_overdue"] is not None and account["days_waited"] is not None
        else None,
    }


def _published(figure: Fraction) -> Fraction:
    """As it is read in the mart: what is flagged is explained by the figure beside it."""
    scaled = abs(figure) * 10**PLACES
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if figure >= 0 else -whole, 10**PLACES)


def _is_beyond(figure: Fraction, comparison: str, line: Fraction) -> bool:
    if comparison == "above":
        return figure > line
    if comparison == "at_most":
        return figure <= line
    if comparison == "below":
        return figure < line
    raise ValueError(f"risk_rules knows above, at_most and below, not {comparison!r}")


def _fraction(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _regularity(gaps: Sequence[int]) -> float:
    """1 - standard deviation / mean, not below 0."""
    mean = Fraction(sum(gaps), len(gaps))
    variance = sum(((gap - mean) ** 2 for gap in gaps), Fraction(0)) / len(gaps)
    return round(max(0.0, 1 - math.sqrt(variance / mean**2)), PLACES)


def _month(day: date) -> int:
    return day.year * 12 + day.month
