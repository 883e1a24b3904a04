"""What each account is worth, computed from what was planted and never from what was written.

The rules are those of the method; the arithmetic is whole ten-thousandths of a euro throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import pandas as pd

from dagster_project.lib.demo.lines import MONEY_UNITS, NO_COST
from dagster_project.lib.demo.products import Product
from dagster_project.lib.demo.rates import Rates

CENT = 100  # ten-thousandths
CUTS = (("A", 80), ("B", 95))
LOWEST_TIER = "C"
SALES = (
    "invoice",
    "debit_note",
    "down_payment",
    "correction",
)  # documents that say: a customer bought


@dataclass
class AccountValue:
    """Sums over the booked lines of one account in one window, in ten-thousandths of EUR.

    ``margin`` adds up the lines whose cost is known; ``covered`` is their revenue. ``turnover`` adds up
    absolute amounts, ``costed_turnover`` those of the lines whose cost is known.
    """

    revenue: int = 0
    margin: int = 0
    covered: int = 0
    turnover: int = 0
    costed_turnover: int = 0
    lines: int = 0
    known_costs: int = 0


@dataclass
class ValueBook:
    """Values by account key, monthly totals, and the dates of each account's invoices.

    A cancelled invoice is none, and neither is what cancels it. ``families`` is the window's revenue by
    product family, ``unknown`` where a line names no product.
    """

    window: dict[str, AccountValue] = field(default_factory=lambda: defaultdict(AccountValue))
    previous: dict[str, AccountValue] = field(default_factory=lambda: defaultdict(AccountValue))
    monthly: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    invoice_dates: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    families: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )


class _Line(NamedTuple):
    key: str
    day: date
    document_type: str
    product: int
    quantity: int
    net: int
    currency: str
    cost: int
    cost_currency: str
    is_cancelled: bool


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
    positions: dict[date, int] = {}
    for line in _booked(lines, keys):
        if line.day not in positions:
            positions[line.day] = rates.latest(line.day)
        position = positions[line.day]
        revenue = _in_eur(line.net, line.currency, position, rates)
        cost = _cost(line, position, products=products, rates=rates)
        book.monthly[f"{line.day:%Y-%m}"] += revenue
        if window[0] <= line.day < window[1]:
            family = products[line.product].family if line.product >= 0 else "unknown"
            book.families[line.key][family] += revenue
        if line.document_type in SALES and not line.is_cancelled:
            book.invoice_dates[line.key].add(line.day)
        for span, values in ((window, book.window), (previous, book.previous)):
            if span[0] <= line.day < span[1]:
                _add(values[line.key], revenue, cost)
    return book


def _booked(lines: pd.DataFrame, keys: list[str]) -> Iterator[_Line]:
    is_booked = (lines["left_out"] == "").to_numpy()
    booked = lines[is_booked]
    columns = [booked[name].tolist() for name in _Line._fields if name in booked]
    days = booked["invoice_date"].dt.date.tolist()
    booked_keys = [key for key, counts in zip(keys, is_booked, strict=True) if counts]
    for key, day, *values in zip(booked_keys, days, *columns, strict=True):
        yield _Line(key, day, *values)


def _add(value: AccountValue, revenue: int, cost: int | None) -> None:
    value.revenue += revenue
    value.turnover += abs(revenue)
    value.lines += 1
    if cost is not None:
        value.margin += revenue - cost
        value.covered += revenue
        value.costed_turnover += abs(revenue)
        value.known_costs += 1


def _in_eur(amount: int, currency: str, position: int, rates: Rates) -> int:
    if currency == "EUR":
        return amount
    return rates.cents(amount, currency=currency, position=position) * CENT


def _cost(line: _Line, position: int, *, products: list[Product], rates: Rates) -> int | None:
    """Return a line's own cost, else the standard cost of what it sold, in EUR, else None."""
    if line.cost != NO_COST:
        return _in_eur(line.cost, line.cost_currency or line.currency, position, rates)
    if line.product < 0:
        return None
    product = products[line.product]
    unit_cost = product.unit_cost_on(line.day)
    if unit_cost is None:
        return None
    # cents times hundredths of a unit are ten-thousandths
    amount = unit_cost * abs(line.quantity) * (-1 if line.net < 0 else 1)
    return _in_eur(amount, product.cost_currency, position, rates)


def tiers(values: dict[str, int]) -> dict[str, str]:
    """Return the tier of each account, equal values together.

    An account is A while those with strictly more hold less than 80 in 100, B while less than 95.

    Args:
        values: amounts of all ranked accounts; what is not positive goes to the lowest tier.
    """
    total = sum(value for value in values.values() if value > 0)
    before = 0
    found: dict[str, str] = {}
    by_value: dict[int, list[str]] = defaultdict(list)
    for key, value in values.items():
        by_value[value].append(key)
    for value in sorted(by_value, reverse=True):
        reached = (name for name, cut in CUTS if value > 0 and 100 * before < cut * total)
        found.update(dict.fromkeys(by_value[value], next(reached, LOWEST_TIER)))
        before += max(value, 0) * len(by_value[value])
    return found


def as_text(amount: int) -> str:
    """Return ten-thousandths as a decimal number with four places."""
    sign, magnitude = "-" if amount < 0 else "", abs(amount)
    return f"{sign}{magnitude // MONEY_UNITS}.{magnitude % MONEY_UNITS:04d}"
