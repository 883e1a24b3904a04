"""People who must be in no audience: planted among the contacts, and told of in the truth with their case."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256

from dagster_project.lib.demo.book import Book, Row

WITHDRAWN_AT = "2026-10-31T18:00:00Z"
_WITHDRAWN, _TWINS = 12, 4
_FIRST_WITHDRAWN = 400  # past the contacts that suppressions name
CASES = (
    "suppressed_email",
    "suppressed_email_sha256",
    "suppressed_domain",
    "suppressed_account",
    "opted_out",
    "no_consent",
)


@dataclass(frozen=True)
class PersonTruth:
    """A contact that no audience may hold, and why.

    ``case`` is one of ``CASES``, the first that fits the person: all contacts with one e-mail address are one,
    and so is one without an address that has their phone number.
    ``withdrawn_later`` where the first delivery of the contact would have allowed it.
    """

    contact_key: str
    case: str
    email: str
    phone: str
    country_code: str
    withdrawn_later: bool


def add_twins(contacts: list[Row]) -> list[Row]:
    """Return the contacts with some people in them a second time, who opt out there alone.

    They are there a third time, willing, without an e-mail address but with their number.
    """
    willing = [contact for contact in contacts if _is_willing(contact) and contact["email"]]
    chosen = [
        contact | {"phone": f"+33 6 12 34 56 {70 + number}"}
        for number, contact in enumerate(willing[_FIRST_WITHDRAWN - _TWINS : _FIRST_WITHDRAWN])
    ]
    twins = [
        contact
        | {
            "contact_id": f"P{97_000 + number}",
            "email": f" {contact['email'].upper()}",
            "phone": "",
            "opted_out": "true",
        }
        for number, contact in enumerate(chosen)
    ]
    by_number = [
        contact | {"contact_id": f"P{97_100 + number}", "email": ""}
        for number, contact in enumerate(chosen)
    ]
    numbered = {contact["contact_id"]: contact for contact in chosen}
    return [*(numbered.get(c["contact_id"], c) for c in contacts), *twins, *by_number]


def withdrawals(contacts: list[Row]) -> list[Row]:
    """Return later versions of some willing contacts: half refuse advertising, half opt out."""
    willing = [contact for contact in contacts if _is_willing(contact) and contact["email"]]
    chosen = willing[_FIRST_WITHDRAWN : _FIRST_WITHDRAWN + _WITHDRAWN]
    return [
        contact
        | ({"consent_ads": "false"} if number % 2 else {"opted_out": "true"})
        | {"updated_at": WITHDRAWN_AT}
        for number, contact in enumerate(chosen)
    ]


def current(contacts: list[Row], later: list[Row]) -> list[Row]:
    """Return each contact as it stands once the later versions have come."""
    latest = {contact["contact_id"]: contact for contact in (*contacts, *later)}
    return list(latest.values())


def people_truths(
    contacts: list[Row], later: list[Row], suppressions: list[Row], book: Book
) -> list[PersonTruth]:
    """Return the contacts that advertising may not reach, by their id."""
    everyone = current(contacts, later)
    # no two people of the demo company share a number
    owners = {row["phone"]: _address(row) for row in everyone if row["phone"] and _address(row)}
    people: dict[str, list[Row]] = defaultdict(list)
    for contact in everyone:
        person = _address(contact) or owners.get(contact["phone"]) or contact["contact_id"]
        people[person].append(contact)
    withdrawn = {contact["contact_id"] for contact in later}
    truths = []
    for group in people.values():
        found = {case for contact in group for case in _cases(contact, suppressions, book)}
        refuses = any(contact["consent_ads"] == "false" for contact in group)
        for contact in group:
            own = found | ({"no_consent"} if refuses or contact["consent_ads"] != "true" else set())
            # one record that nobody asked keeps another, which consents, in no way out
            willing = any(other["consent_ads"] == "true" for other in group)
            if not own or (own == {"no_consent"} and willing and not refuses):
                continue
            case = next(case for case in CASES if case in own)
            truths.append(
                PersonTruth(
                    contact_key=f"crm:{contact['contact_id']}",
                    case=case,
                    email=_address(contact),
                    phone=contact["phone"],
                    country_code=contact["country_code"],
                    withdrawn_later=contact["contact_id"] in withdrawn,
                )
            )
    return sorted(truths, key=lambda truth: truth.contact_key)


def _is_willing(contact: Row) -> bool:
    return contact["consent_ads"] == "true" and contact["opted_out"] == "false"


def _address(contact: Row) -> str:
    return contact["email"].strip().lower()


def _cases(contact: Row, suppressions: list[Row], book: Book) -> set[str]:
    email = _address(contact)
    account = book.survivor(contact["account_id"])
    domains = {email.partition("@")[2], book.companies[account].domain}
    hashed = sha256(email.encode()).hexdigest()
    cases = {"opted_out"} if contact["opted_out"] == "true" else set()
    for row in suppressions:
        if email and row["email"] == email:
            cases.add("suppressed_email")
        if email and row["email_sha256"] == hashed:
            cases.add("suppressed_email_sha256")
        if row["domain"] and row["domain"] in domains:
            cases.add("suppressed_domain")
        if row["account_id"] and book.survivor(row["account_id"]) == account:
            cases.add("suppressed_account")
    return cases
