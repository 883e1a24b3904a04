"""Who may be addressed, in plain Python: what the SQL is compared with. Shares no code with the models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dagster_project.lib.reference_contact_forms import address, google_address, sha256, tidy

Way = Literal["email", "email_sha256", "domain", "account"]
WAYS: tuple[Way, ...] = ("email", "email_sha256", "domain", "account")


@dataclass(frozen=True)
class Contact:
    """A contact as the CRM has it, its phone already in E.164; None where the CRM says nothing."""

    key: str
    account_key: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    job_title: str | None = None
    country: str | None = None
    consent_email: bool | None = None
    consent_ads: bool | None = None
    opted_out: bool = False


@dataclass(frozen=True)
class Account:
    """An account of a contact: why it may not be addressed, what silences it, where it is."""

    reason: str | None = None
    suppressed_by: Way | None = None
    name: str | None = None
    country: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    revenue: Decimal = Decimal(0)


@dataclass(frozen=True)
class Suppression:
    """An e-mail address, its hash or a domain that is not to be addressed; accounts come with `Account`."""

    email: str | None = None
    email_sha256: str | None = None
    domain: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What a person has allowed and forbidden, over all contacts with the same address."""

    suppressed_by: Way | None
    opted_out: bool
    consent_email: bool | None
    consent_ads: bool | None


def person(contact: Contact) -> str:
    """The same of all contacts of one mailbox."""
    email = google_address(address(contact.email))
    if email is None:
        return contact.key
    return re.sub(r"@googlemail\.com$", "@gmail.com", email)


def judge(
    contacts: Iterable[Contact],
    suppressions: Iterable[Suppression],
    accounts: Mapping[str, Account],
) -> dict[str, Judgement]:
    """The judgement of each contact by key."""
    lists = _Lists(tuple(suppressions))
    people: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        people[person(contact)].append(contact)
    judgements = {}
    for group in people.values():
        ways = {way for contact in group for way in lists.ways(contact, accounts)}
        suppressed_by = next((way for way in WAYS if way in ways), None)
        opted_out = any(contact.opted_out for contact in group)
        refuses_email = any(contact.consent_email is False for contact in group)
        refuses_ads = any(contact.consent_ads is False for contact in group)
        for contact in group:
            judgements[contact.key] = Judgement(
                suppressed_by,
                opted_out,
                False if refuses_email else contact.consent_email,
                False if refuses_ads else contact.consent_ads,
            )
    return judgements


def ineligible_reason(
    purpose: Literal["email", "ads"],
    contact: Contact,
    judgement: Judgement,
    accounts: Mapping[str, Account],
) -> str | None:
    """Why the contact may not be addressed for the purpose; None where it may be."""
    consent = judgement.consent_email if purpose == "email" else judgement.consent_ads
    account = accounts.get(contact.account_key or "")
    has_name = bool(tidy(contact.first_name) and tidy(contact.last_name))
    has_email = address(contact.email) is not None
    is_identified = has_email or (purpose == "ads" and (bool(contact.phone) or has_name))
    checks = (
        ("suppressed", judgement.suppressed_by is not None),
        ("opted_out", judgement.opted_out),
        ("no_consent", consent is not True),
        ("no_account", account is None),
        (account.reason if account else "", account is not None and account.reason is not None),
        ("no_identifier", not is_identified),
    )
    return next((reason for reason, fits in checks if fits), None)


class _Lists:
    """The suppressions, ready to be asked."""

    def __init__(self, suppressions: tuple[Suppression, ...]) -> None:
        self._people = {
            person(Contact(key="", email=row.email)) for row in suppressions if address(row.email)
        }
        self._hashes = {
            row.email_sha256.strip().lower() for row in suppressions if row.email_sha256
        }
        self._hosts = {_host(row.domain) for row in suppressions if row.domain}

    def ways(self, contact: Contact, accounts: Mapping[str, Account]) -> set[Way]:
        """Every way in which the contact itself, or its account, is suppressed."""
        ways: set[Way] = set()
        account = accounts.get(contact.account_key or "")
        if account is not None and account.suppressed_by is not None:
            ways.add(account.suppressed_by)
        email = address(contact.email)
        if email is None:
            return ways
        if person(contact) in self._people:
            ways.add("email")
        forms = {email, google_address(email), person(contact)}
        if self._hashes & {sha256(form) for form in forms}:
            ways.add("email_sha256")
        host = email.partition("@")[2]
        silenced = {parent for named in self._hosts for parent in _with_parents(named)}
        if host in silenced or self._hosts & _with_parents(host):
            ways.add("domain")
        return ways


def _with_parents(host: str) -> set[str]:
    """The host and the two above it."""
    labels = host.split(".")
    return {".".join(labels[cut:]) for cut in range(3) if labels[cut:]}


def _host(domain: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", domain.strip().lower())
    bare = re.split(r"[/?#:]", bare)[0].rpartition("@")[2]
    return bare.removeprefix("www.")
