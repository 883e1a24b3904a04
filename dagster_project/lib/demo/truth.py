"""The truth beside the extracts: what was planted and what must come out of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.lib.demo.book import Book, Link, NoLink, VatNumber, crm_key, erp_key
from dagster_project.lib.demo.documents import UNKNOWN_CUSTOMERS
from dagster_project.lib.demo.governance import OverrideTruth
from dagster_project.lib.demo.landing import FileTruth, PlantedFault
from dagster_project.lib.demo.values import AccountValue, ValueBook, as_text, tiers

EXCLUDED = {"one_time": "one_time", "intercompany": "intercompany"}


@dataclass(frozen=True)
class AccountTruth:
    """One account of the spine; money in EUR as text, of the last twelve months.

    ``gross_margin`` adds up the lines whose cost is known, None where there is none; ``covered_revenue`` is the
    revenue of those lines. ``revenue_tier`` is None for an excluded account.
    """

    relationship: str
    members: list[str]
    revenue: str
    revenue_previous: str
    gross_margin: str | None
    covered_revenue: str
    revenue_tier: str | None
    is_excluded: bool
    is_placeholder: bool


@dataclass(frozen=True)
class Truth:
    """The content of ``truth.json``; accounts are named by account key, source rows by their ids."""

    seed: int
    as_of: str
    window_start: str
    reporting_currency: str
    files: dict[str, FileTruth]
    faults: list[PlantedFault]
    totals: dict[str, Any]
    monthly_revenue: dict[str, str]
    left_out_lines: dict[str, int]
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
    strategic_account: str
    cost_missing_account: str
    negative_margin_large_account: str
    negative_margin_accounts: list[str]

    def write(self, path: Path) -> None:
        """Write the truth as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def excluded_accounts(book: Book) -> dict[str, str]:
    """Return the reason by account key of those that are not ranked."""
    return {book.key_of_customer(book.marks[mark]): reason for mark, reason in EXCLUDED.items()}


def members_by_key(book: Book) -> dict[str, list[str]]:
    """Return the source rows of each account of the spine, as system:entity:id."""
    members: dict[str, list[str]] = {}
    for account_id in book.accounts:
        members.setdefault(crm_key(book.survivor(account_id)), []).append(crm_key(account_id))
    for customer_id in book.customers:
        members.setdefault(book.key_of_customer(customer_id), []).append(erp_key(customer_id))
    for customer_id in UNKNOWN_CUSTOMERS:
        members[erp_key(customer_id)] = []
    return members


def revenue_tiers(book: Book, values: ValueBook) -> dict[str, str]:
    """Return the tier by revenue of each account of the spine that is ranked."""
    excluded = excluded_accounts(book)
    ranked = {key: values.window[key].revenue for key in members_by_key(book) if key not in excluded}
    return tiers(ranked)


def account_truths(book: Book, values: ValueBook, *, window: tuple[date, date]) -> dict[str, AccountTruth]:
    """Return every account of the spine with what it is worth."""
    excluded, by_revenue = excluded_accounts(book), revenue_tiers(book, values)
    placeholders = {erp_key(customer) for customer in UNKNOWN_CUSTOMERS}
    return {
        key: AccountTruth(
            relationship=_relationship(key, book, values, window=window),
            members=members,
            revenue=as_text(values.window[key].revenue),
            revenue_previous=as_text(values.previous[key].revenue),
            gross_margin=as_text(values.window[key].margin) if values.window[key].known_costs else None,
            covered_revenue=as_text(values.window[key].covered),
            revenue_tier=by_revenue.get(key),
            is_excluded=key in excluded,
            is_placeholder=key in placeholders,
        )
        for key, members in sorted(members_by_key(book).items())
    }


def _relationship(key: str, book: Book, values: ValueBook, *, window: tuple[date, date]) -> str:
    dates = values.invoice_dates.get(key)
    if dates:
        return "customer" if any(window[0] <= day < window[1] for day in dates) else "former"
    return book.accounts[key.rsplit(":", 1)[1]]["account_type"]


def totals(book: Book, values: ValueBook, accounts: dict[str, AccountTruth]) -> dict[str, Any]:
    """Return the control totals of the window, in EUR as text, and counts."""
    excluded = excluded_accounts(book)
    known: list[AccountValue] = list(values.window.values())
    return {
        "accounts": len(accounts),
        "crm_accounts": len(book.accounts),
        "erp_customers": len(book.customers),
        "revenue": as_text(sum(value.revenue for value in known)),
        "gross_margin": as_text(sum(value.margin for value in known)),
        "covered_revenue": as_text(sum(value.covered for value in known)),
        "excluded_value": as_text(sum(values.window[key].revenue for key in excluded)),
        "booked_lines": sum(value.lines for value in known),
        "accounts_by_relationship": dict(sorted(Counter(a.relationship for a in accounts.values()).items())),
        "accounts_by_revenue_tier": dict(
            sorted(Counter(a.revenue_tier for a in accounts.values() if a.revenue_tier).items())
        ),
    }
