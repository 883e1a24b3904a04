"""What stewards and managers decide: tier overrides of every case, suppressions of each way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from dagster_project.lib.demo.book import Book, Row, crm_key
from dagster_project.lib.demo.companies import vocabulary

UNKNOWN_ACCOUNT = "A97001"
_FIRST_OVERRIDDEN = 100  # past the accounts in which other cases are planted


@dataclass(frozen=True)
class OverrideTruth:
    """An override's case, and whether it sets the tier at the end of the last month."""

    account_key: str
    account_id: str
    tier: str
    case: str
    applies: bool


def make_overrides(
    book: Book, revenue_tiers: dict[str, str]
) -> tuple[list[Row], list[OverrideTruth]]:
    """Return overrides of each case, and what is expected of them.

    Args:
        book: the companies.
        revenue_tiers: the tiers that accounts reach by revenue, by account key.
    """
    free = [a for a in book.accounts if a not in book.marks.values() and a not in book.deleted]
    free = free[_FIRST_OVERRIDDEN:]

    def some(tier: str) -> str:
        account = next(a for a in free if revenue_tiers.get(crm_key(a)) == tier)
        free.remove(account)
        return account

    named = {"strategic": book.marks["strategic"], "unknown": UNKNOWN_ACCOUNT, "twice": some("C")}
    rows, truths = [], []
    for planned in vocabulary()["overrides"]:
        account, tier = named.get(planned["of"]) or some(planned["of"]), planned["tier"]
        rows.append(
            {
                "account_id": account,
                "tier": tier,
                "reason": planned["reason"],
                "owner": "Claire Fontaine",
                "valid_from": str(planned["from"]),
                "valid_to": str(planned["to"]),
            }
        )
        applies = planned["applies"]
        truths.append(OverrideTruth(crm_key(account), account, tier, planned["case"], applies))
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
            row(
                "erasure request",
                "2026-06-18",
                email_sha256=hashlib.sha256(email.encode()).hexdigest(),
            )
            for email in emails[22:200:60]
        ),
        row("competitor", "2025-09-01", domain=book.companies[accounts[-80]].domain),
        row("legal dispute", "2026-01-12", account_id=accounts[-95]),
        row("do not contact", "2026-08-30", account_id=accounts[-110]),
    ]
