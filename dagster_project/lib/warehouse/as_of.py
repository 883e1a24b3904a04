"""The day a run is for, where none is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from dagster_project.lib.extracts.ledger import LedgerEntry


def day_after_last_invoiced_month(landed: Iterable[LedgerEntry]) -> date | None:
    """First day after the last month that has accepted invoice lines; None where there are none."""
    months = [
        month
        for entry in landed
        if entry.entity == "invoice_lines"
        for month in entry.rows_by_month
    ]
    if not months:
        return None
    last = max(months)
    return date(last.year + last.month // 12, last.month % 12 + 1, 1)
