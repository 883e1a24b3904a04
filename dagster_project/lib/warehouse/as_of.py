"""The day a run is for, where none is given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb


def day_after_last_invoiced_month(landed: Sequence[Path]) -> date | None:
    """First day after the last month that has accepted invoice lines; None where there are none."""
    if not landed:
        return None
    last = duckdb.execute(
        "select max(invoice_date) from read_parquet(?)", [[str(path) for path in landed]]
    ).fetchone()
    if last is None or last[0] is None:
        return None
    day: date = last[0]
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
