"""Whom the account managers look after: accounts planted as well served, neglected, over-served.

No number is drawn here, so that nothing else of the company moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.lib.demo.book import Book, Row, crm_key
from dagster_project.lib.demo.crm_life import AS_OF, living

WINDOW_START = np.datetime64("2025-11-01")
# what dbt/seeds/service_model.csv plans for an account of tier A, in minutes a year
PLANNED_MINUTES = 2_400
_WELL_SERVED, _NEGLECTED, _OVER_SERVED = 96, 6, 12
_WASTED_MINUTES = 1_800
_VISIT_MINUTES = 180
_EVERY_DAYS = 14
_FIRST_PLANTED_ID = 600_000


@dataclass(frozen=True)
class ServiceTruth:
    """A planted account, and the coverage status that must come out of it."""

    account_key: str
    case: str
    status: str


def plant_service(
    activities: Sequence[Row],
    book: Book,
    revenue_tiers: Mapping[str, str],
    *,
    spared: set[str],
) -> tuple[list[Row], list[ServiceTruth]]:
    """Add and take away activities, so that some accounts get what their tier plans and some do not.

    Args:
        activities: what was drawn.
        book: the companies.
        revenue_tiers: the tiers that accounts reach by revenue, by account key.
        spared: CRM accounts whose tier an override sets.

    Returns:
        The activities, and what is planted in them.
    """
    free = [a for a in living(book) if a not in spared and a not in book.marks.values()]
    best = [a for a in free if revenue_tiers.get(crm_key(a)) == "A"]
    linked = {link.crm_account_id for link in book.links}
    idle = [a for a in free if a not in linked and book.accounts[a]["account_type"] == "prospect"]
    neglected, served = best[:_NEGLECTED], best[_NEGLECTED : _NEGLECTED + _WELL_SERVED]
    kept = [row for row in activities if row["account_id"] not in neglected]
    spent = minutes_in_window(kept)
    planted: list[Row] = []
    for account_id in served:
        missing = PLANNED_MINUTES - spent.get(account_id, 0)
        planted += _visits(book, account_id, missing, first=_FIRST_PLANTED_ID + len(planted))
    for account_id in idle[:_OVER_SERVED]:
        first = _FIRST_PLANTED_ID + len(planted)
        planted += _visits(book, account_id, _WASTED_MINUTES, first=first)
    cases = (
        ("well_served", "on_plan", served),
        ("neglected", "under_served", neglected),
        ("over_served", "over_served", idle[:_OVER_SERVED]),
    )
    truths = [
        ServiceTruth(crm_key(account_id), case, status)
        for case, status, accounts in cases
        for account_id in accounts
    ]
    return kept + planted, truths


def minutes_in_window(activities: Sequence[Row]) -> dict[str, int]:
    """Return the minutes of the last twelve months by CRM account."""
    minutes: dict[str, int] = {}
    for row in activities:
        if WINDOW_START <= np.datetime64(row["activity_date"]) < AS_OF:
            spent = minutes.get(row["account_id"], 0)
            minutes[row["account_id"]] = spent + int(row["duration_minutes"])
    return dict(sorted(minutes.items()))


def _visits(book: Book, account_id: str, minutes: int, *, first: int) -> Iterator[Row]:
    number = 0
    while minutes > 0:
        spent = min(minutes, _VISIT_MINUTES)
        yield {
            "activity_id": f"T{first + number}",
            "account_id": account_id,
            "owner_id": book.accounts[account_id]["owner_id"],
            "activity_type": "visit" if number % 2 == 0 else "meeting",
            "activity_date": str(AS_OF - 5 - number * _EVERY_DAYS),
            "duration_minutes": str(spent),
            "direction": "inbound" if number % 3 == 2 else "outbound",
        }
        minutes -= spent
        number += 1
