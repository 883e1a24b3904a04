"""The contacts behind a forgotten address or account: their ids, other addresses and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.ledger import read_ledger
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.forms import (
    bare_address,
    digests,
    digests_of,
    mailbox,
    plain_address,
)
from dagster_project.lib.forgetting.landed_files import landed_path, of_entity, pairs
from dagster_project.lib.forgetting.matcher import (
    LONG_ID_CHARACTERS,
    SHORT_ID_CHARACTERS,
    Matcher,
    addresses_in,
)
from dagster_project.lib.forgetting.record import ForgottenRecord
from dagster_project.lib.phones import normalise_phone, number_forms


def with_their_contacts(record: ForgottenRecord, raw: Path) -> ForgottenRecord:
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
    numbers = _own_numbers(raw, theirs)
    return record.extended(
        {
            "contact": {f"{system}:{own}" for system, contact in theirs for own in _ids(contact)},
            "email": {mailbox(plain) for plain in plains},
            "digest": {digest for text in plains | written for digest in digests_of_text(text)}
            | digests_of({form for number in numbers for form in (number, number.lstrip("+"))}),
            "phone": {form for number in numbers for form in number_forms(number)},
        }
    )


def digests_of_text(text: str) -> set[str]:
    """Of an address as it is written; a host in other letters than English ones is hashed as it stands, too."""
    forms = {plain_address(text), bare_address(text)}
    return {digest for form in forms if form for digest in digests(form)}


def _own_numbers(raw: Path, theirs: set[tuple[str, str]]) -> set[str]:
    """Their numbers in E.164, unless somebody else has the same number."""
    if not theirs:
        return set()
    numbers: dict[str, set[tuple[str, str]]] = {}
    with duckdb.connect(config=tables.CONFIG) as connection:
        countries: dict[tuple[str, str], set[str]] = {}
        for entry in of_entity(raw, "accounts"):
            for own, country in pairs(
                connection, landed_path(entry, raw), "account_id", "country_code"
            ):
                countries.setdefault((entry.system, own), set()).add(country)
        for entry in of_entity(raw, "contacts"):
            for contact, account, phone, country in connection.execute(
                "select distinct contact_id, account_id, phone, country_code "
                f"from {tables.parquet(landed_path(entry, raw))} where phone is not null"
            ).fetchall():
                of_account = countries.get((entry.system, account), set())
                for one in {country} if country else {*of_account, ""}:
                    number = normalise_phone(phone, one).value
                    if number:
                        numbers.setdefault(number, set()).add((entry.system, contact))
    return {number for number, people in numbers.items() if people <= theirs}


def _ids(contact: str) -> set[str]:
    """The id, and the short form of one of Salesforce's."""
    if len(contact) == LONG_ID_CHARACTERS and contact.isalnum():
        return {contact, contact[:SHORT_ID_CHARACTERS]}
    return {contact}


def _contacts(raw: Path) -> Iterator[tuple[str, str, str, str | None]]:
    """System, id, account and address of every contact that was ever landed."""
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in of_entity(raw, "contacts"):
            yield from connection.execute(
                "select distinct source_system, contact_id, account_id, email "
                f"from {tables.parquet(landed_path(entry, raw))}"
            ).fetchall()


def _user_addresses(raw: Path) -> Iterator[str]:
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity in ("users", "suppressions") and landed_path(entry, raw).is_file():
                for (text,) in connection.execute(
                    f"select distinct email from {tables.parquet(landed_path(entry, raw))} where email is not null"
                ).fetchall():
                    yield from addresses_in(text)
