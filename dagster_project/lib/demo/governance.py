"""What stewards and managers decide: tier overrides of every case that is reported, and suppressions by each way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from dagster_project.lib.demo.book import Book, Row, crm_key

LOWEST_TIER = "C"
UNKNOWN_ACCOUNT = "A97001"


@dataclass(frozen=True)
class OverrideTruth:
    """What is to be said of an override; ``applies`` tells whether it sets the tier at the end of the last month."""

    account_key: str
    account_id: str
    tier: str
    case: str
    applies: bool


def make_overrides(book: Book, revenue_tiers: dict[str, str]) -> tuple[list[Row], list[OverrideTruth]]:
    """Return overrides of each case, and what is expected of them.

    ``revenue_tiers`` are the tiers that accounts reach by revenue, by account key.
    """
    taken: set[str] = set(book.marks.values())

    def some(tier: str) -> str:
        account = next(
            a for a in book.accounts if revenue_tiers.get(crm_key(a)) == tier and a not in taken and a not in book.deleted
        )
        taken.add(account)
        return account

    strategic, overlapping = book.marks["strategic"], some("C")
    planted = (
        ("valid", strategic, "A", "Turbine programme decided for 2027", "2026-09-01", "2027-06-30", True),
        ("valid", some("B"), "A", "Framework agreement signed in September", "2026-10-01", "2027-03-31", True),
        ("valid", some("C"), "B", "Reference plant for the new drives", "2026-07-01", "2027-01-31", True),
        ("expired", some("C"), "A", "Launch of the plant in Gent", "2025-10-01", "2026-06-30", False),
        ("orphan", UNKNOWN_ACCOUNT, "A", "Account was never created", "2026-05-01", "2027-04-30", False),
        ("redundant", some("A"), "A", "Chairman's wish", "2026-02-01", "2027-01-15", True),
        ("overlapping", overlapping, "B", "Service contract under negotiation", "2026-03-01", "2026-12-31", False),
        ("overlapping", overlapping, "A", "Service contract won", "2026-08-15", "2027-05-31", True),
        ("over_long", some("C"), "B", "Strategic supplier to the group", "2026-01-01", "2028-12-31", True),
    )
    rows = [
        {
            "account_id": account,
            "tier": tier,
            "reason": reason,
            "owner": "Claire Fontaine",
            "valid_from": start,
            "valid_to": end,
        }
        for _, account, tier, reason, start, end, _ in planted
    ]
    truths = [
        OverrideTruth(crm_key(account), account, tier, case, applies)
        for case, account, tier, _, _, _, applies in planted
    ]
    return rows, truths


def make_suppressions(contacts: list[Row], book: Book) -> list[Row]:
    """Return suppressions by e-mail, by its hash, by domain and by account."""
    emails = [contact["email"] for contact in contacts if contact["email"]]
    accounts = list(book.accounts)
    columns = ("email", "email_sha256", "domain", "account_id", "reason", "since")

    def row(reason: str, since: str, **by: str) -> Row:
        return dict.fromkeys(columns, "") | by | {"reason": reason, "since": since}

    return [
        *(row("withdrawn consent", "2026-04-02", email=email) for email in emails[15:300:40]),
        *(
            row("erasure request", "2026-06-18", email_sha256=hashlib.sha256(email.encode()).hexdigest())
            for email in emails[22:200:60]
        ),
        row("competitor", "2025-09-01", domain=book.companies[accounts[-80]].domain),
        row("legal dispute", "2026-01-12", account_id=accounts[-95]),
        row("do not contact", "2026-08-30", account_id=accounts[-110]),
    ]
