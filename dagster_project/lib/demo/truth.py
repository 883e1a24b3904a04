"""The truth beside the extracts: what was planted and what must come out of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.lib.demo.book import (
    Link,
    NoLink,
    VatNumber,
)
from dagster_project.lib.demo.governance import OverrideTruth
from dagster_project.lib.demo.landing import FileTruth, PlantedFault
from dagster_project.lib.demo.people import PersonTruth
from dagster_project.lib.demo.service import ServiceTruth


@dataclass(frozen=True)
class AccountTruth:
    """One account of the spine; money in EUR as text, of the last twelve months.

    ``gross_margin`` adds up the lines whose cost is known, None where there are lines and none of
    known cost; ``covered_revenue`` is the revenue of those lines, ``costed_turnover`` of ``turnover``
    their part of the absolute amounts. ``revenue_tier`` is None for an excluded account. Dates are
    those of invoices that nobody cancelled. ``family_revenue`` is the revenue by product family.
    """

    relationship: str
    first_invoice_date: str | None
    last_invoice_date: str | None
    members: list[str]
    revenue: str
    revenue_previous: str
    gross_margin: str | None
    covered_revenue: str
    turnover: str
    costed_turnover: str
    revenue_tier: str | None
    is_excluded: bool
    is_placeholder: bool
    family_revenue: dict[str, str]


@dataclass(frozen=True)
class Truth:
    """The content of ``truth.json``: accounts by account key, source rows by their ids.

    ``people`` are the contacts that no audience may hold. ``activity_minutes`` are those of the window by
    account key; accounts without are absent.
    """

    seed: int
    as_of: str
    window_start: str
    reporting_currency: str
    files: dict[str, FileTruth]
    faults: list[PlantedFault]
    totals: dict[str, Any]
    monthly_revenue: dict[str, str]
    left_out_lines: dict[str, int]
    unconverted: dict[str, str]
    accounts: dict[str, AccountTruth]
    links: list[Link]
    review: list[NoLink]
    no_links: list[NoLink]
    merged: dict[str, str]
    deleted: list[str]
    placeholders: list[str]
    excluded: dict[str, str]
    parents: dict[str, str]
    cut_parents: dict[str, str]
    vat_numbers: list[VatNumber]
    overrides: list[OverrideTruth]
    service: list[ServiceTruth]
    people: list[PersonTruth]
    activity_minutes: dict[str, int]
    strategic_account: str
    cost_missing_account: str
    negative_margin_large_account: str
    negative_margin_accounts: list[str]

    def write(self, path: Path) -> None:
        """Write the truth as JSON."""
        path.write_text(
            json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n",
            encoding="utf-8",
        )
