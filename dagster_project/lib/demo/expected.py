"""What must come out of the extracts: every account, the control totals, the whole truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from dagster_project.lib.demo.book import Book, crm_key, erp_key
from dagster_project.lib.demo.delivery import Company, CrmDelivery
from dagster_project.lib.demo.documents import UNKNOWN_CUSTOMERS
from dagster_project.lib.demo.governance import OverrideTruth
from dagster_project.lib.demo.landing import LandingFolder
from dagster_project.lib.demo.lines import MONEY_UNITS
from dagster_project.lib.demo.parts import UNCONVERTED, UNCONVERTED_CURRENCY
from dagster_project.lib.demo.people import PersonTruth
from dagster_project.lib.demo.truth import AccountTruth, Truth
from dagster_project.lib.demo.values import AccountValue, ValueBook, as_text, tiers

EXCLUDED = {"one_time": "one_time", "intercompany": "intercompany"}


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
    ranked = {
        key: values.window[key].revenue for key in members_by_key(book) if key not in excluded
    }
    return tiers(ranked)


def account_truths(
    book: Book, values: ValueBook, *, window: tuple[date, date]
) -> dict[str, AccountTruth]:
    """Return every account of the spine with what it is worth."""
    excluded, by_revenue = excluded_accounts(book), revenue_tiers(book, values)
    placeholders = {erp_key(customer) for customer in UNKNOWN_CUSTOMERS}
    return {
        key: AccountTruth(
            relationship=_relationship(key, book, values, window=window),
            first_invoice_date=_day(min, values.invoice_dates.get(key)),
            last_invoice_date=_day(max, values.invoice_dates.get(key)),
            members=members,
            revenue=as_text(values.window[key].revenue),
            revenue_previous=as_text(values.previous[key].revenue),
            gross_margin=as_text(values.window[key].margin)
            if values.window[key].known_costs or not values.window[key].lines
            else None,
            covered_revenue=as_text(values.window[key].covered),
            turnover=as_text(values.window[key].turnover),
            costed_turnover=as_text(values.window[key].costed_turnover),
            revenue_tier=by_revenue.get(key),
            is_excluded=key in excluded,
            is_placeholder=key in placeholders,
            family_revenue={
                family: as_text(amount) for family, amount in sorted(values.families[key].items())
            },
        )
        for key, members in sorted(members_by_key(book).items())
    }


def _relationship(key: str, book: Book, values: ValueBook, *, window: tuple[date, date]) -> str:
    dates = values.invoice_dates.get(key)
    if dates:
        return "customer" if any(window[0] <= day < window[1] for day in dates) else "former"
    return book.accounts[key.rsplit(":", 1)[1]]["account_type"]


def _by_key(book: Book, minutes: dict[str, int]) -> dict[str, int]:
    """Minutes by account key: those of merged accounts are their survivor's."""
    summed: Counter[str] = Counter()
    for account_id, spent in minutes.items():
        summed[crm_key(book.survivor(account_id))] += spent
    return dict(sorted(summed.items()))


def _day(pick: Callable[[set[date]], date], days: set[date] | None) -> str | None:
    return str(pick(days)) if days else None


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
        "accounts_by_relationship": dict(
            sorted(Counter(a.relationship for a in accounts.values()).items())
        ),
        "accounts_by_revenue_tier": dict(
            sorted(Counter(a.revenue_tier for a in accounts.values() if a.revenue_tier).items())
        ),
    }


def tell(
    company: Company,
    folder: LandingFolder,
    overrides: list[OverrideTruth],
    crm: CrmDelivery,
    people: list[PersonTruth],
    *,
    seed: int,
    window: tuple[date, date],
) -> Truth:
    """Gather the truth, when every file has been written."""
    book, values = company.book, company.values
    accounts = account_truths(book, values, window=window)
    left_out = Counter(company.first_lines["left_out"].tolist())
    del left_out[""]
    return Truth(
        seed=seed,
        as_of=str(window[1]),
        window_start=str(window[0]),
        reporting_currency="EUR",
        files=dict(sorted(folder.files.items())),
        faults=folder.faults,
        totals=totals(book, values, accounts),
        monthly_revenue={m: as_text(amount) for m, amount in sorted(values.monthly.items())},
        left_out_lines=dict(sorted(left_out.items())),
        unconverted={UNCONVERTED_CURRENCY: as_text(sum(UNCONVERTED) * MONEY_UNITS)},
        accounts=accounts,
        links=book.links,
        review=book.review,
        no_links=book.no_links,
        merged=book.merged,
        deleted=book.deleted,
        placeholders=[key for key, account in accounts.items() if account.is_placeholder],
        excluded=excluded_accounts(book),
        parents=book.parents,
        cut_parents=book.cut_parents,
        vat_numbers=book.vat_numbers,
        overrides=overrides,
        service=crm.service,
        people=people,
        activity_minutes=_by_key(book, crm.minutes),
        strategic_account=crm_key(book.marks["strategic"]),
        cost_missing_account=book.key_of_customer(book.marks["cost_missing"]),
        negative_margin_large_account=book.key_of_customer(book.marks["negative_margin_large"]),
        negative_margin_accounts=[
            key for key, a in accounts.items() if (a.gross_margin or "").startswith("-")
        ],
    )
