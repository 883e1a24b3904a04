"""What the output folder knows of somebody who is to be forgotten: the marks by which the record tells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from dagster_project.lib.explained import AccountNotFoundError, find_account
from dagster_project.lib.extracts.ledger import LedgerEntry, read_ledger
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.forms import (
    bare_address,
    digests,
    digests_of,
    host_of,
    mailbox,
    plain_address,
)
from dagster_project.lib.forgetting.matcher import (
    LONG_ID_CHARACTERS,
    SHORT_ID_CHARACTERS,
    Matcher,
    addresses_in,
)
from dagster_project.lib.forgetting.record import ForgottenRecord, Kind
from dagster_project.lib.phones import normalise_phone
from dagster_project.lib.release.live import LiveRelease

# Texts of an account that logs and reports may hold; shorter ones are words that stand for anything.
NAME_COLUMNS = {
    "accounts": ("account_id", "account_name"),
    "customers": ("customer_id", "customer_name"),
}
LEAST_NAME = 4


class SubjectError(ValueError):
    """What is to be forgotten cannot be told; the text names the remedy."""


@dataclass(frozen=True)
class Subject:
    """Who is to be forgotten: a kind and the text as the user gave it."""

    kind: Literal["email", "domain", "account"]
    text: str


def find_subject(
    subject: Subject, record: ForgottenRecord, *, raw: Path, live: LiveRelease | None
) -> ForgottenRecord:
    """The record that tells the subject, and everything known to be theirs.

    Raises:
        SubjectError: the text is no address, domain or account.
    """
    marks: dict[Kind, set[str]] = {}
    if subject.kind == "email":
        address = plain_address(subject.text)
        if address is None:
            raise SubjectError(
                f"--email: {subject.text!r} is no address; write one like name@example.com"
            )
        named = mailbox(address)
        marks = {"email": {named}, "digest": _digests(subject.text)}
    elif subject.kind == "domain":
        host = host_of(subject.text)
        if host is None:
            raise SubjectError(
                f"--domain: {subject.text!r} is no domain; write one like example.com"
            )
        named = host
        marks = {"domain": {host}}
    else:
        named, members, references = _members(subject.text, raw, live)
        marks = {"account": members, "reference": references}
    record = record.requested(subject.kind, named).extended(marks)
    return _with_their_contacts(record, raw)


def plain_names(record: ForgottenRecord, *, raw: Path, marts: Iterable[Path]) -> dict[str, str]:
    """Names of forgotten accounts as raw zone and releases have them, each with the id that stands for it.

    Args:
        record: what is forgotten.
        raw: the raw zone.
        marts: folders of marts.
    """
    matcher = Matcher(record)
    names: dict[str, str] = {}
    if not matcher.has("account"):
        return names
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity in NAME_COLUMNS and _landed(entry, raw).is_file():
                key, name = NAME_COLUMNS[entry.entity]
                for own, text in _pairs(connection, _landed(entry, raw), key, name):
                    if matcher.account(entry.system, entry.entity, own):
                        names[text] = own
        for folder in marts:
            path = folder / "account_tiers.parquet"
            if path.is_file():
                for key, text in _pairs(connection, path, "account_key", "account_name"):
                    if matcher.account_key(key):
                        names[text] = key.split(":", 2)[-1]
    return {text: own for text, own in names.items() if _is_a_name(text) and text != own}


def _is_a_name(text: str) -> bool:
    """Whether the text can be told from a word of ours: `invoice` in a log is none, `Invoice Ltd` is."""
    return len(text) >= LEAST_NAME and not (
        text.isascii() and text.islower() and text.isidentifier()
    )


def _with_their_contacts(record: ForgottenRecord, raw: Path) -> ForgottenRecord:
    """The contacts that have a forgotten address or account in any delivery, and their other addresses.

    A contact is known by its id too: an older delivery may have the same person under another address, and
    without the later one it would speak again. Another address counts unless somebody else has it too.
    """
    matcher = Matcher(record)
    rows = list(_contacts(raw))
    theirs = {
        (system, contact)
        for system, contact, account, email in rows
        if matcher.contact(system, contact)
        or matcher.account(system, "accounts", account)
        or (email and matcher.email(email))
    }
    others = {
        mailbox(plain)
        for system, contact, _, email in rows
        if (system, contact) not in theirs
        for plain in addresses_in(email or "")
    }
    plains = {
        plain
        for system, contact, _, email in rows
        if (system, contact) in theirs
        for plain in addresses_in(email or "")
        if mailbox(plain) not in others
    }
    plains |= {plain for plain in _user_addresses(raw) if matcher.address(plain)}
    written = {email for *_, email in rows if email and addresses_in(email) & plains}
    return record.extended(
        {
            "contact": {f"{system}:{own}" for system, contact in theirs for own in _ids(contact)},
            "email": {mailbox(plain) for plain in plains},
            "digest": {digest for text in plains | written for digest in _digests(text)}
            | _phone_digests(raw, theirs),
        }
    )


def _digests(text: str) -> set[str]:
    """Of an address as it is written; a host in other letters than English ones is hashed as it stands, too."""
    forms = {plain_address(text), bare_address(text)}
    return {digest for form in forms if form for digest in digests(form)}


def _phone_digests(raw: Path, theirs: set[tuple[str, str]]) -> set[str]:
    """Digests of their numbers, as destinations take them, unless somebody else has the same number."""
    if not theirs:
        return set()
    numbers: dict[str, set[tuple[str, str]]] = {}
    with duckdb.connect(config=tables.CONFIG) as connection:
        countries: dict[tuple[str, str], set[str]] = {}
        for entry in _of_entity(raw, "accounts"):
            for own, country in _pairs(
                connection, _landed(entry, raw), "account_id", "country_code"
            ):
                countries.setdefault((entry.system, own), set()).add(country)
        for entry in _of_entity(raw, "contacts"):
            for contact, account, phone, country in connection.execute(
                "select distinct contact_id, account_id, phone, country_code "
                f"from {tables.parquet(_landed(entry, raw))} where phone is not null"
            ).fetchall():
                of_account = countries.get((entry.system, account), set())
                for one in {country} if country else {*of_account, ""}:
                    number = normalise_phone(phone, one).value
                    if number:
                        numbers.setdefault(number, set()).add((entry.system, contact))
    own_numbers = {number for number, people in numbers.items() if people <= theirs}
    return digests_of({form for number in own_numbers for form in (number, number.lstrip("+"))})


def _of_entity(raw: Path, entity: str) -> list[LedgerEntry]:
    return [
        entry
        for entry in read_ledger(raw)
        if entry.entity == entity and _landed(entry, raw).is_file()
    ]


def _ids(contact: str) -> set[str]:
    """The id, and the short form of one of Salesforce's."""
    if len(contact) == LONG_ID_CHARACTERS and contact.isalnum():
        return {contact, contact[:SHORT_ID_CHARACTERS]}
    return {contact}


def _contacts(raw: Path) -> Iterator[tuple[str, str, str, str | None]]:
    """System, id, account and address of every contact that was ever landed."""
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in _of_entity(raw, "contacts"):
            yield from connection.execute(
                "select distinct source_system, contact_id, account_id, email "
                f"from {tables.parquet(_landed(entry, raw))}"
            ).fetchall()


def _user_addresses(raw: Path) -> Iterator[str]:
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity in ("users", "suppressions") and _landed(entry, raw).is_file():
                for (text,) in connection.execute(
                    f"select distinct email from {tables.parquet(_landed(entry, raw))} where email is not null"
                ).fetchall():
                    yield from addresses_in(text)


def _members(text: str, raw: Path, live: LiveRelease | None) -> tuple[str, set[str], set[str]]:
    """The account's key, its members as `system:entity:id`, and how governance may refer to them."""
    rows = _published_members(text, live) if live else []
    if not rows:
        rows = _landed_members(text, raw)
    if not rows:
        raise SubjectError(
            f"--account: no account answers to {text!r}; give its key, a CRM or ERP id"
        )
    members = {f"{system}:{entity}:{own}" for _, system, entity, own in rows}
    # a bare id is a reference only where no other account has it
    references = {f"{system}:{own}" for _, system, _, own in rows}
    references |= {own for _, _, _, own in rows if not live or _is_only(live, own)}
    return rows[0][0], members | {rows[0][0]}, references


def _published_members(text: str, live: LiveRelease) -> list[tuple[str, str, str, str]]:
    with duckdb.connect(config=tables.CONFIG) as connection:
        for name in ("account_tiers", "account_aliases", "account_members"):
            connection.execute(f"create view {name} as from {tables.parquet(live.mart(name))}")
        try:
            key = find_account(connection, text)
        except AccountNotFoundError as error:
            if "answer to" in str(error) and "no account" not in str(error):
                raise SubjectError(f"--account: {error}") from None
            return []
        return connection.execute(
            "select account_key, source_system, source_entity, source_id from account_members "
            "where account_key = ?",
            [key],
        ).fetchall()


def _is_only(live: LiveRelease, own: str) -> bool:
    with duckdb.connect(config=tables.CONFIG) as connection:
        row = connection.execute(
            "select count(distinct account_key) from "
            f"{tables.parquet(live.mart('account_members'))} where source_id = {literal(own)}"
        ).fetchone()
    return row is None or int(row[0]) <= 1


def _landed_members(text: str, raw: Path) -> list[tuple[str, str, str, str]]:
    """Accounts of the raw zone by key, `system:id` or id: before the first release, or after the last."""
    found = set()
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity not in NAME_COLUMNS or not _landed(entry, raw).is_file():
                continue
            key = NAME_COLUMNS[entry.entity][0]
            own = text.removeprefix(f"{entry.system}:").removeprefix(f"{entry.entity}:")
            if tables.row_count(
                connection, tables.parquet(_landed(entry, raw)), f"{key} = {literal(own)}"
            ):
                found.add((f"{entry.system}:{entry.entity}:{own}", entry.system, entry.entity, own))
    if len(found) > 1:
        keys = ", ".join(sorted(key for key, *_ in found))
        raise SubjectError(f"--account: several accounts answer to {text!r}, give one of {keys}")
    return sorted(found)


def _pairs(
    connection: duckdb.DuckDBPyConnection, path: Path, key: str, name: str
) -> list[tuple[str, str]]:
    return connection.execute(
        f"select distinct {key}, {name} from {tables.parquet(path)} where {name} is not null"
    ).fetchall()


def _landed(entry: LedgerEntry, raw: Path) -> Path:
    return raw / entry.entity / entry.landed
