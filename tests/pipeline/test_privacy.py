"""Personal data stays where it is needed: the demo company's people are in no log, metadata, mart or manifest."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.warehouse.dbt_project import parsed_folder
from tests.pipeline.pipeline_runs import Refreshed, kam_process

OWNER_ONLY = ("raw", "warehouse", "runs", "dagster")
# Names of users are published by design: who owns an account, who decided an override. Nothing else says them.
MARTS_WITH_USERS = frozenset({"account_tiers", "owner_capacity"})

ADDRESS = re.compile(r"[^\s@'\"<>,;:()|\x00]+@[^\s@'\"<>,;:()|\x00]+")
PHONE = re.compile(r"\+?\d[\d ./()-]{7,}\d")
WORD = re.compile(r"[\w'’-]+")


class People:
    """Every address, telephone number and full name of the extracts, by where it stands."""

    def __init__(self, landing: Path) -> None:
        contacts = list(_rows(landing / "crm/contacts.csv"))
        users = list(_rows(landing / "crm/users.csv"))
        suppressed = list(_rows(landing / "governance/suppressions.csv"))
        self.addresses = _all(contacts + users + suppressed, "email")
        self.phones = {re.sub(r"\D", "", phone) for phone in _all(contacts, "phone")}
        self.names = {
            f"{row['first_name']} {row['last_name']}".lower().strip()
            for row in contacts
            if row["first_name"].strip() and row["last_name"].strip()
        }
        self.by_last_word: dict[str, list[list[str]]] = {}
        for name in self.names:
            words = WORD.findall(name)
            self.by_last_word.setdefault(words[-1], []).append(words)
        self.users = _all(users, "user_name")

    def found_in(self, text: str, *, users: bool = True) -> set[str]:
        """Those who are named in the text."""
        lowered = text.lower()
        found = {word.strip(".") for word in ADDRESS.findall(lowered)} & self.addresses
        numbers = {re.sub(r"\D", "", number) for number in PHONE.findall(lowered)}
        found |= numbers & self.phones
        words = WORD.findall(lowered)
        for place, word in enumerate(words, start=1):
            for name in self.by_last_word.get(word, ()):
                if words[max(0, place - len(name)) : place] == name:
                    found.add(" ".join(name))
        return found | ({name for name in self.users if name in lowered} if users else set())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _all(rows: list[dict[str, str]], column: str) -> set[str]:
    return {row[column].strip().lower() for row in rows if row.get(column, "").strip()}


@pytest.fixture(scope="module")
def people(demo: tuple[Refreshed, Truth]) -> People:
    found = People(demo[0].landing)
    assert len(found.addresses) > 1_000 and len(found.phones) > 100 and len(found.users) > 5
    return found


def test_search_finds_what_is_planted(people: People) -> None:
    address, phone = min(people.addresses), min(people.phones)
    name, user = min(people.names), min(people.users)
    for text in (f"x <{address.upper()}>,", f"a +{phone[:2]} {phone[2:]}.", f"by {name}; ", user):
        assert people.found_in(text), text
    assert not people.found_in("nobody at all, 2026-11-01, 12345.67")


def test_nobody_is_in_logs_metadata_manifests_and_marts(
    demo: tuple[Refreshed, Truth], people: People
) -> None:
    out = demo[0].out
    searched = 0
    for place, text, names_users in _texts(out):
        found = people.found_in(text, users=not names_users)
        assert not found, f"{place}: {sorted(found)[:5]}"
        searched += 1
    assert searched > 100


def _texts(out: Path) -> Iterator[tuple[str, str, bool]]:
    """All text that a run leaves but for the raw zone, the warehouse and the audience files, which need it."""
    for path in [*sorted(out.rglob("*")), *sorted(parsed_folder().rglob("*"))]:
        inside = path.relative_to(out).parts if path.is_relative_to(out) else ()
        if not path.is_file() or inside[:1] in (("raw",), ("warehouse",)):
            continue
        if "audiences" in inside and path.name != "manifest.json":
            continue
        yield from ((str(path), text, path.stem in MARTS_WITH_USERS) for text in _text_of(path))


def _text_of(path: Path) -> Iterator[str]:
    if path.suffix == ".db":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            for (table,) in connection.execute("select name from sqlite_master where type='table'"):
                cursor = connection.cursor()
                for row in cursor.execute(f'select * from "{table}"'):
                    yield "\n".join(str(value) for value in row if value is not None)
    elif path.suffix == ".parquet":
        with duckdb.connect() as connection:
            rows = connection.execute(
                f"select columns(*)::varchar from read_parquet('{path}')"
            ).fetchall()
        yield "\n".join(value for row in rows for value in row if value)
    elif path.suffix != ".duckdb":  # the marts again, whose Parquet files are searched
        yield path.read_bytes().decode("utf-8", "replace")


def test_rejected_contacts_do_not_carry_their_addresses(
    demo: tuple[Refreshed, Truth], people: People
) -> None:
    rejected = demo[0].rows("select * from rejected_rows where entity in ('contacts', 'users')")
    assert rejected, "the demo company has contacts that are rejected"
    for row in rejected:
        assert not people.found_in("\n".join(str(value) for value in row.values())), row
        assert "@" not in str(row["raw_value"]), row


def test_commands_do_not_say_them(demo: tuple[Refreshed, Truth], people: People) -> None:
    company = demo[0]
    for arguments in (
        ("status", "--out", company.out),
        ("notice", "--out", company.out),
        ("check", "--landing", company.landing),
    ):
        run = kam_process(*arguments)
        assert not people.found_in(run.stdout + run.stderr), arguments


def test_only_the_owner_reads_what_holds_personal_data(demo: tuple[Refreshed, Truth]) -> None:
    out = demo[0].out
    for name in OWNER_ONLY:
        assert (out / name).stat().st_mode & 0o077 == 0, name
    files = [path for path in (out / "published").rglob("audiences/**/*") if path.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert [p for p in files if p.parent.name == "sent"], "what was sent is kept"
