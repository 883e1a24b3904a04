"""Who may be addressed, in plain Python: what the SQL is compared with. Shares no code with the models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from dagster_project.lib.reference_contact_forms import (
    address,
    google_address,
    mailbox,
    punycode,
    sha256,
    tidy,
)

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
    """An e-mail address, its hash, a domain or an account that is not to be addressed."""

    email: str | None = None
    email_sha256: str | None = None
    domain: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What a person has allowed and forbidden, over all contacts that are one; whether its number may be sent."""

    suppressed_by: Way | None
    opted_out: bool
    consent_email: bool | None
    consent_ads: bool | None
    is_phone_silenced: bool = False


def people(contacts: Iterable[Contact]) -> dict[str, str]:
    """By contact the same of all that are one person.

    That is the mailbox. Who has none is who has the same number, as long as that is one; a number without any
    mailbox is one person's.
    """
    listed = list(contacts)
    mailboxes: dict[str, set[str]] = defaultdict(set)
    for contact in listed:
        if contact.phone:
            mailboxes[contact.phone] |= {mailbox(contact.email) or ""} - {""}
    found = {}
    for contact in listed:
        own = mailbox(contact.email)
        others = mailboxes.get(contact.phone or "", set())
        if own is None and contact.phone and len(others) < 2:
            own = next(iter(others), contact.phone)
        found[contact.key] = own or contact.key
    return found


def judge(
    contacts: Iterable[Contact],
    suppressions: Iterable[Suppression],
    accounts: Mapping[str, Account],
) -> dict[str, Judgement]:
    """The judgement of each contact by key."""
    listed = list(contacts)
    lists = _Lists(tuple(suppressions))
    keys = people(listed)
    groups: dict[str, list[Contact]] = defaultdict(list)
    for contact in listed:
        groups[keys[contact.key]].append(contact)
    judgements = {}
    silenced_phones = set()
    for key, group in groups.items():
        ways = {way for contact in group for way in lists.ways(contact, key, accounts)}
        suppressed_by = next((way for way in WAYS if way in ways), None)
        opted_out = any(contact.opted_out for contact in group)
        refuses_email = any(contact.consent_email is False for contact in group)
        refuses_ads = any(contact.consent_ads is False for contact in group)
        if suppressed_by or opted_out or refuses_ads:
            silenced_phones |= {contact.phone for contact in group}
        for contact in group:
            judgements[contact.key] = Judgement(
                suppressed_by,
                opted_out,
                False if refuses_email else contact.consent_email,
                False if refuses_ads else contact.consent_ads,
            )
    return {
        contact.key: replace(
            judgements[contact.key], is_phone_silenced=contact.phone in silenced_phones - {None}
        )
        for contact in listed
    }


def sendable(contact: Contact, judgement: Judgement) -> Contact:
    """The contact without a number that somebody silenced has, too."""
    return replace(contact, phone=None) if judgement.is_phone_silenced else contact


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
    has_phone = bool(sendable(contact, judgement).phone)
    is_identified = has_email or (purpose == "ads" and (has_phone or has_name))
    checks = (
        ("suppressed", judgement.suppressed_by is not None),
        ("opted_out", judgement.opted_out),
        ("no_consent", consent is not True),
        ("no_account", account is None),
        (account.reason if account else "", account is not None and account.reason is not None),
        ("no_identifier", not is_identified),
    )
    return next((reason for reason, fits in checks if fits), None)


def suppressed_accounts(
    names: Mapping[str, Iterable[str]],
    domains: Mapping[str, Iterable[str]],
    suppressions: Iterable[Suppression],
) -> dict[str, Way]:
    """How accounts are suppressed.

    Args:
        names: by account what it may be called in a suppression.
        domains: by account the registrable domains of its members.
        suppressions: all of them; a domain also silences the account whose subdomain it is.
    """
    listed = list(suppressions)
    called = {row.account_id for row in listed if row.account_id}
    hosts = {_host(row.domain) for row in listed if row.domain}
    found: dict[str, Way] = {}
    for account, own in domains.items():
        if any(f".{host}".endswith(f".{domain}") for host in hosts for domain in own):
            found[account] = "domain"
    for account, own in names.items():
        if called & set(own):
            found[account] = "account"
    return found


class _Lists:
    """The suppressions, ready to be asked."""

    def __init__(self, suppressions: tuple[Suppression, ...]) -> None:
        self._people = {mailbox(row.email) for row in suppressions} - {None}
        self._hashes = {
            row.email_sha256.strip().lower() for row in suppressions if row.email_sha256
        }
        self._hosts = {_host(row.domain) for row in suppressions if row.domain}

    def ways(self, contact: Contact, person: str, accounts: Mapping[str, Account]) -> set[Way]:
        """Every way in which the contact itself, or its account, is suppressed."""
        ways: set[Way] = set()
        account = accounts.get(contact.account_key or "")
        if account is not None and account.suppressed_by is not None:
            ways.add(account.suppressed_by)
        if person in self._people:
            ways.add("email")
        email = address(contact.email)
        if email is None:
            return ways
        forms = {email, google_address(email), mailbox(email)}
        if self._hashes & {sha256(form) for form in forms}:
            ways.add("email_sha256")
        host = punycode(email.partition("@")[2])
        if any(f".{host}".endswith(f".{above}") for above in self._hosts):
            ways.add("domain")
        return ways


def _host(domain: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", domain.strip().lower())
    bare = re.split(r"[/?#:]", bare)[0].rpartition("@")[2]
    return punycode(bare.rstrip(".").removeprefix("www."))
