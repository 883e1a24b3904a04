"""Daily exchange rates as the European Central Bank publishes them, and exact conversion into EUR.

Foreign units per euro, on its working days only. The Swiss franc is quoted per 100 against sterling
alone, so that it reaches the euro only through that pivot.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

DIRECT = {"USD": 1.085, "GBP": 0.855}
CHF_IN_GBP_PER_100 = 89.50
RATE_UNITS = 10_000  # four decimals
MAX_AGE_DAYS = 7
_DAILY_VOLATILITY = 0.004
_HOLIDAYS = {(1, 1), (5, 1), (12, 25), (12, 26)}
_EASTER_SUNDAYS = (date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5))


def is_fixing_day(day: date) -> bool:
    """Tell whether rates are published on the day."""
    easter = {e + timedelta(days=d) for e in _EASTER_SUNDAYS for d in (-2, 1)}
    return day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS and day not in easter


@dataclass(frozen=True)
class Rates:
    """Rates by (from, to) and day, as whole ten-thousandths; every pair has the same days."""

    days: list[date]
    quotes: dict[tuple[str, str], list[int]]

    def latest(self, day: date) -> int:
        """Return the position of the last fixing day on or before ``day``.

        Raises:
            LookupError: there is none within seven days, which the demo never plants.
        """
        position = bisect_right(self.days, day) - 1
        if position < 0 or (day - self.days[position]).days > MAX_AGE_DAYS:
            raise LookupError(f"no rate within {MAX_AGE_DAYS} days before {day}")
        return position

    def cents(self, amount: int, *, currency: str, position: int) -> int:
        """Return a foreign amount (ten-thousandths) in euro cents, rounded once."""
        if currency == "CHF":
            numerator = self.quotes[("CHF", "GBP")][position]
            denominator = self.quotes[("EUR", "GBP")][position] * 100
        else:
            numerator, denominator = (
                RATE_UNITS,
                self.quotes[("EUR", currency)][position],
            )
        return divided(amount * numerator, denominator * 100)


def divided(numerator: int, denominator: int) -> int:
    """Return the quotient of whole numbers, rounded half away from zero."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def make_rates(rng: np.random.Generator, *, start: date, end: date) -> Rates:
    """Draw a rate for each fixing day in ``[start, end)``, wandering about its level."""
    span = [start + timedelta(days=n) for n in range((end - start).days)]
    days = [day for day in span if is_fixing_day(day)]
    levels = {("EUR", code): level for code, level in DIRECT.items()}
    levels[("CHF", "GBP")] = CHF_IN_GBP_PER_100
    quotes = {}
    for pair, level in levels.items():
        drift = 0.0
        steps = rng.normal(0.0, _DAILY_VOLATILITY, size=len(days))
        values = []
        for step in steps:
            drift = 0.99 * drift + float(step)
            values.append(round(level * (1 + drift) * RATE_UNITS))
        quotes[pair] = values
    return Rates(days, quotes)
