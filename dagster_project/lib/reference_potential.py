"""Potential and net margin a second time, apart from the warehouse.

Plain Python over extracts as text, exact throughout: fractions, each rounded once where the method
says so. Slow and simple on purpose; tests hold the warehouse against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pandas as pd

from dagster_project.lib.reference_values import Converter, Row, rounded, rows_of

Basis = str
YEAR = 12
MONEY_DECIMALS = 4
ODDS_DECIMALS = 6


@dataclass(frozen=True)
class PotentialRules:
    """What the policy and the seeds say of potential.

    Attributes:
        window_months: months that the revenue was made in.
        horizon_months: months from as_of in which an opportunity must close to count.
        min_peers: customers that a segment needs to say anything.
        peer_quantile: share of the segment's customers that buy no more than the estimate.
        size_bands: (band, smallest, largest number of employees; None: without end).
    """

    window_months: int
    horizon_months: int
    min_peers: int
    peer_quantile: Decimal
    size_bands: Sequence[tuple[str, int, int | None]]

    def band(self, employees: str | None) -> str | None:
        """The band of a number of employees."""
        if employees is None:
            return None
        for band, smallest, largest in self.size_bands:
            if smallest <= int(employees) and (largest is None or int(employees) <= largest):
                return band
        return None


@dataclass(frozen=True)
class Potential:
    """The estimate for one account: an amount per year, null where nothing is known."""

    amount: Decimal | None
    basis: Basis
    peer_count: int | None


def months_later(day: date, months: int) -> date:
    """The first of a month so many months later."""
    month = day.year * YEAR + day.month - 1 + months
    return date(month // YEAR, month % YEAR + 1, 1)


def potentials(
    accounts: pd.DataFrame,
    revenue: Mapping[str, Decimal],
    opportunities: pd.DataFrame | None,
    *,
    as_of: date,
    converter: Converter,
    rules: PotentialRules,
) -> dict[str, Potential]:
    """Potential of every account: declared, else pipeline, else what peers buy, else none.

    Args:
        accounts: account_key, is_excluded (bool), industry, employee_count, declared_potential,
            potential_currency; text or None.
        revenue: of the window by account_key; what is not named has none.
        opportunities: account_key and the columns of the extract as text, each opportunity once.
        as_of: end of the window, exclusive.
        converter: rates and reporting currency.
        rules: the policy's part.

    Returns:
        By account_key.
    """
    pipelines = _pipelines(opportunities, as_of, converter, rules)
    listed = list(rows_of(accounts))
    bought = {
        _key(row): _per_year(max(revenue.get(_key(row), Decimal(0)), Decimal(0)), rules)
        for row in listed
    }
    segments = _segments(listed, bought, rules)
    found = {}
    for row in listed:
        key = _key(row)
        peers = segments.get(_segment(row, rules))
        found[key] = _estimate(
            row,
            bought[key],
            pipelines.get(key),
            peers if peers is not None and len(peers) >= rules.min_peers else None,
            rate_day=as_of - timedelta(days=1),
            converter=converter,
            rules=rules,
        )
    return found


def _estimate(
    row: Row,
    bought: Decimal,
    pipeline: Decimal | None,
    peers: list[Decimal] | None,
    *,
    rate_day: date,
    converter: Converter,
    rules: PotentialRules,
) -> Potential:
    count = len(peers) if peers is not None else None
    if row["is_excluded"]:
        return Potential(None, "none", count)
    declared = row.get("declared_potential")
    if declared is not None:
        currency = row.get("potential_currency") or converter.reporting_currency
        amount = converter.convert(Fraction(declared), currency, rate_day)
        if amount is not None:
            return Potential(amount, "declared", count)
    if pipeline is not None:
        return Potential(bought + pipeline, "pipeline", count)
    if peers is not None:
        place = ceil(Fraction(rules.peer_quantile) * len(peers))
        return Potential(max(peers[max(place, 1) - 1], bought), "peers", count)
    return Potential(None, "none", count)


def _pipelines(
    opportunities: pd.DataFrame | None, as_of: date, converter: Converter, rules: PotentialRules
) -> dict[str, Decimal]:
    """Amount x probability of what was open at as_of and closes in time, per year, by account."""
    rows = list(rows_of(opportunities))
    odds = _odds(rows, as_of)
    end = months_later(as_of, rules.horizon_months)
    sums: dict[str, Fraction] = {}
    for row in rows:
        if row["amount"] is None or row["close_date"] is None:
            continue
        if not as_of <= _day(row["close_date"]) < end or not _was_open(row, as_of):
            continue
        currency = row.get("currency") or converter.reporting_currency
        amount = converter.convert(Fraction(row["amount"]), currency, as_of - timedelta(days=1))
        if amount is None:
            continue
        own = row.get("probability")
        chance = Fraction(own) if own is not None and not _is_closed(row) else odds
        if chance is None:
            continue
        key = _key(row)
        sums[key] = sums.get(key, Fraction(0)) + Fraction(amount) * chance
    scale = Fraction(YEAR, rules.horizon_months)
    return {
        key: rounded(Fraction(rounded(total, MONEY_DECIMALS)) * scale, MONEY_DECIMALS)
        for key, total in sums.items()
    }


def _was_open(row: Row, as_of: date) -> bool:
    """Known before as_of, and not closed by then: what is closed today was last changed later."""
    created, updated = row.get("created_at"), row.get("updated_at")
    if created is not None and _day(created) >= as_of:
        return False
    return not _is_closed(row) or (updated is not None and _day(updated) >= as_of)


def _is_closed(row: Row) -> bool:
    """What is won is closed, whether the CRM says so or not."""
    return _is(row, "is_closed") or _is(row, "is_won")


def _odds(rows: Iterable[Row], as_of: date) -> Fraction | None:
    """Share of what was won of all that closed before as_of, at six places; None if nothing did."""
    closed = [
        row
        for row in rows
        if _is_closed(row) and row["close_date"] and _day(row["close_date"]) < as_of
    ]
    won = sum(_is(row, "is_won") for row in closed)
    return Fraction(rounded(Fraction(won, len(closed)), ODDS_DECIMALS)) if closed else None


def _segments(
    rows: Iterable[Row], bought: Mapping[str, Decimal], rules: PotentialRules
) -> dict[tuple[str, str] | None, list[Decimal]]:
    """What the customers of each industry and size buy, the smallest first."""
    segments: dict[tuple[str, str] | None, list[Decimal]] = {}
    for row in rows:
        segment = _segment(row, rules)
        if segment is not None and not row["is_excluded"] and bought[_key(row)] > 0:
            segments.setdefault(segment, []).append(bought[_key(row)])
    return {segment: sorted(amounts) for segment, amounts in segments.items()}


def _segment(row: Row, rules: PotentialRules) -> tuple[str, str] | None:
    industry, band = row.get("industry"), rules.band(row.get("employee_count"))
    return None if industry is None or band is None else (industry, band)


def costs_to_serve(
    costs: pd.DataFrame | None, converter: Converter, *, start: date, end: date
) -> dict[str, tuple[Decimal, Decimal]]:
    """(rebates, other costs to serve) per customer_id in a half-open window; convertible ones only.

    Rows that say the same count once: the extract has no key of its own.
    """
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    columns = ("customer_id", "cost_date", "cost_type", "amount", "currency")
    for row in {tuple(row[column] for column in columns) for row in rows_of(costs)}:
        customer, day, kind, amount, currency = (str(value) for value in row)
        if not start <= _day(day) < end:
            continue
        converted = converter.convert(Fraction(amount), currency, _day(day))
        if converted is None:
            continue
        rebates, served = sums.get(customer, (Decimal(0), Decimal(0)))
        if kind == "rebate":
            rebates += converted
        else:
            served += converted
        sums[customer] = rebates, served
    return sums


def _per_year(amount: Decimal, rules: PotentialRules) -> Decimal:
    return rounded(Fraction(amount) * Fraction(YEAR, rules.window_months), MONEY_DECIMALS)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _is(row: Row, column: str) -> bool:
    return str(row.get(column) or "").lower() in ("true", "1", "yes")


def _key(row: Row) -> str:
    return str(row["account_key"])
