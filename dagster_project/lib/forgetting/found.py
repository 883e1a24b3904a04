"""What the output folder knows of somebody who is to be forgotten: the marks by which the record tells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from dagster_project.lib.extracts.ledger import read_ledger
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.accounts import SubjectError, members_of
from dagster_project.lib.forgetting.contacts import digests_of_text, with_their_contacts
from dagster_project.lib.forgetting.forms import (
    host_of,
    mailbox,
    plain_address,
)
from dagster_project.lib.forgetting.landed_files import NAME_COLUMNS, landed_path, pairs
from dagster_project.lib.forgetting.matcher import (
    Matcher,
)
from dagster_project.lib.forgetting.record import ForgottenRecord, Kind
from dagster_project.lib.release.live import LiveRelease

# Texts of an account that logs and reports may hold; shorter ones are words that stand for anything.
LEAST_NAME = 4


@dataclass(frozen=True)
class Names:
    """Names of forgotten accounts, each with the id that stands for it.

    Attributes:
        sure: what means them in any text.
        unsure: what may mean something else: short names, words, names that another account has too.
    """

    sure: dict[str, str]
    unsure: dict[str, str]


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
        marks = {"email": {named}, "digest": digests_of_text(subject.text)}
    elif subject.kind == "domain":
        host = host_of(subject.text)
        if host is None:
            raise SubjectError(
                f"--domain: {subject.text!r} is no domain; write one like example.com"
            )
        named = host
        marks = {"domain": {host}}
    else:
        named, members, references = members_of(subject.text, raw, live)
        marks = {"account": members, "reference": references}
    record = record.requested(subject.kind, named).extended(marks)
    return with_their_contacts(record, raw)


def plain_names(record: ForgottenRecord, *, raw: Path, marts: Iterable[Path]) -> Names:
    """Names of forgotten accounts as raw zone and releases have them.

    Args:
        record: what is forgotten.
        raw: the raw zone.
        marts: folders of marts.
    """
    matcher = Matcher(record)
    names: dict[str, str] = {}
    others: set[str] = set()
    if not matcher.has("account"):
        return Names({}, {})
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity in NAME_COLUMNS and landed_path(entry, raw).is_file():
                key, name = NAME_COLUMNS[entry.entity]
                for own, text in pairs(connection, landed_path(entry, raw), key, name):
                    if matcher.account(entry.system, entry.entity, own):
                        names[text] = own
                    else:
                        others.add(text)
        for folder in marts:
            path = folder / "account_tiers.parquet"
            if path.is_file():
                for key, text in pairs(connection, path, "account_key", "account_name"):
                    if matcher.account_key(key):
                        names[text] = key.split(":", 2)[-1]
                    else:
                        others.add(text)
    names = {text: own for text, own in names.items() if text != own}
    sure = {text: own for text, own in names.items() if _is_a_name(text) and text not in others}
    return Names(sure, {text: own for text, own in names.items() if text not in sure})


def _is_a_name(text: str) -> bool:
    """Whether the text can be told from a word of ours: `invoice` in a log is none, `Invoice Ltd` is."""
    return len(text) >= LEAST_NAME and not (
        text.isascii() and text.islower() and text.isidentifier()
    )
