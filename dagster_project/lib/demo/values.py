"""What each account is worth, computed from what was planted and never from what was written.

The rules are those of the method; the arithmetic is whole numbers of ten-thousandths of a euro throughout.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from dagster_project.lib.demo.lines import MONEY_UNITS, NO_COST
from dagster_project.lib.demo.products import Product
from dagster_project.lib.demo.rates import Rates

CENT = 100  # ten-thousandths
CUTS = (("A", 80), ("B", 95))
LOWEST_TIER = "C"


@dataclass
class AccountValue:
    """Sums over the booked lines of one account in one window, in ten-thousandths of EUR.

    ``margin`` adds up the lines whose cost is known; ``covered`` is their revenue.
    """

    revenue: int = 0
    margin: int = 0
    covered: int = 0
    lines: int = 0
    known_costs: int = 0
    invoices: int = 0


@dataclass
class ValueBook:
    """Values by account key, monthly totals, and the dates of each account's invoices."""

    window: dict[str, AccountValue] = field(default_factory=lambda: defaultdict(AccountValue))
    previous: dict[str, AccountValue] = field(default_factory=lambda: defaultdict(AccountValue))
    monthly: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    invoice_dates: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))


def value_accounts(
    lines: pd.DataFrame,
    keys: list[str],
    products: list[Product],
    rates: Rates,
    *,
    window: tuple[date, date],
) -> ValueBook:
    """Book every line that counts on its account.

    Args:
        lines: the final version of each line, as in ``lines.py``.
        keys: account key of each line.
        products: the catalogue that ``product`` points into.
        rates: exchange rates.
        window: first day, and the day after the last.
    """
    book = ValueBook()
    previous = (date(window[0].year - 1, window[0].month, 1), window[0])
    positions = _rate_positions(lines, rates)
    for key, position, line in zip(keys, positions, lines.itertuples(index=False), strict=True):
        if line.left_out:
            continue
        day = line.invoice_date.date()
        revenue = _in_eur(line.net, line.currency, position, rates)
        cost = _cost(line, day, position, products=products, rates=rates)
        book.monthly[f"{day:%Y-%m}"] += revenue
        if line.document_type == "invoice":
            book.invoice_dates[key].add(day)
        for span, values in ((window, book.window), (previous, book.previous)):
            if span[0] <= day < span[1]:
                _add(values[key], revenue, cost, is_invoice=line.document_type == "invoice")
    return book


def _add(value: AccountValue, revenue: int, cost: int | None, *, is_invoice: bool) -> None:
    value.revenue += revenue
    value.lines += 1
    value.invoices += is_invoice
    if cost is not None:
        value.margin += revenue - cost
        value.covered += revenue
        value.known_costs += 1


def _rate_positions(lines: pd.DataFrame, rates: Rates) -> list[int]:
    days = lines["invoice_date"].to_numpy().astype("datetime64[D]")
    by_day = {day: rates.latest(day.astype(date)) for day in np.unique(days)}
    return [by_day[day] for day in days]


def _in_eur(amount: int, currency: str, position: int, rates: Rates) -> int:
    if currency == "EUR":
        return int(amount)
    return rates.cents(int(amount), currency=currency, position=position) * CENT


def _cost(line: object, day: date, position: int, *, products: list[Product], rates: Rates) -> int | None:
    """Return a line's own cost, else the standard cost of what it sold, in EUR; None where neither is known."""
    own, net, currency = line.cost, line.net, line.currency  # type: ignore[attr-defined]
    if own != NO_COST:
        return _in_eur(own, line.cost_currency or currency, position, rates)  # type: ignore[attr-defined]
    if line.product < 0:  # type: ignore[attr-defined]
        return None
    product = products[line.product]  # type: ignore[attr-defined]
    unit_cost = product.unit_cost_on(day)
    if unit_cost is None:
        return None
    # cents times hundredths of a unit are ten-thousandths
    amount = unit_cost * abs(int(line.quantity)) * (-1 if net < 0 else 1)  # type: ignore[attr-defined]
    return _in_eur(amount, product.cost_currency, position, rates)


def tiers(values: dict[str, int]) -> dict[str, str]:
    """Return the tier of each account: A while those with strictly more hold less than 80 in 100, B less than 95.

    ``values`` are the amounts of all ranked accounts with sales; nothing positive is in the lowest tier.
    """
    total = sum(value for value in values.values() if value > 0)
    before = 0
    found = {}
    by_value: dict[int, list[str]] = defaultdict(list)
    for key, value in values.items():
        by_value[value].append(key)
    for value in sorted(by_value, reverse=True):
        tier = next((name for name, cut in CUTS if value > 0 and 100 * before < cut * total), LOWEST_TIER)
        found.update(dict.fromkeys(by_value[value], tier))
        before += max(value, 0) * len(by_value[value])
    return found


def as_text(amount: int) -> str:
    """Return ten-thousandths as a decimal number with four places."""
    sign, magnitude = "-" if amount < 0 else "", abs(amount)
    return f"{sign}{magnitude // MONEY_UNITS}.{magnitude % MONEY_UNITS:04d}"
