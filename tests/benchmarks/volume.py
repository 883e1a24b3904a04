"""How much is generated, and how it is spread over months and files.

Belongs here: the calendar and the size of the benchmark's company.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

FIRST_DAY = date(2023, 1, 1)
AS_OF = date(2026, 1, 1)
DEFAULT_SEED = 20_260_101
MILLION = 1_000_000
# 40,000 customers buy 10 million lines; a company with fewer lines has fewer customers, one with more lines has
# more of them and larger ones: 100,000 buy 100 million.
LINES_PER_CUSTOMER = 250
MOST_CUSTOMERS = 100_000
FileFormat = Literal["parquet", "csv"]


@dataclass(frozen=True)
class Volume:
    """How much to make: lines (of 10 lines two documents), and the seed of everything drawn."""

    lines: int
    seed: int = DEFAULT_SEED

    @property
    def customers(self) -> int:
        """ERP customers; nine of ten are in the CRM, which has a quarter more of prospects."""
        return min(max(self.lines // LINES_PER_CUSTOMER, 10), MOST_CUSTOMERS)


def months() -> Iterator[date]:
    """The first day of each month that has lines."""
    day = FIRST_DAY
    while day < AS_OF:
        yield day
        day = following(day)


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def file_of(month: date, file_format: FileFormat) -> str:
    """The name under which a month's lines are delivered."""
    return f"invoice_lines_{month:%Y_%m}.{file_format}"


def lines_of(volume: Volume, month: date) -> tuple[int, int]:
    """The half-open range of the lines of a month; whole tens, so that no document lies in two files."""
    days = (AS_OF - FIRST_DAY).days
    bounds = (
        -(-((day - FIRST_DAY).days * volume.lines // days) // 10) * 10
        for day in (month, following(month))
    )
    first, last = (min(bound, volume.lines) for bound in bounds)
    return first, last
