"""The record knows again who was forgotten, and names nobody."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from dagster_project.lib.forgetting.forms import digests
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import FILE, RecordError, read_record, write_record

ANNA = "anna@example.com"


def matcher(raw: Path) -> Matcher:
    record = read_record(raw).extended(
        {
            "email": {ANNA},
            "domain": {"gone.example.org"},
            "digest": digests(ANNA),
            "contact": {"crm:P1"},
            "account": {"crm:accounts:A1"},
            "reference": {"A1"},
        }
    )
    return Matcher(record)


def test_nothing_is_forgotten_at_first(tmp_path: Path) -> None:
    record = read_record(tmp_path)
    assert record.fingerprint == ""
    assert Matcher(record).replaced(ANNA) == ANNA
    assert record.key != read_record(tmp_path).key


def test_the_file_holds_neither_the_address_nor_a_digest_of_it(tmp_path: Path) -> None:
    record = matcher(tmp_path).record.requested("email", ANNA)
    write_record(record, tmp_path)
    text = (tmp_path / FILE).read_text()
    for needle in (ANNA, "example", "anna", "A1", "P1", *digests(ANNA)):
        assert needle not in text
    assert hashlib.sha256(ANNA.encode()).hexdigest()[:32] not in text
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert read_record(tmp_path) == record


def test_the_same_twice_is_one_request_and_the_same_record(tmp_path: Path) -> None:
    once = matcher(tmp_path).record.requested("email", ANNA)
    twice = once.requested("email", ANNA).extended({"email": {ANNA}})
    assert twice == once
    assert once.extended({"email": {"bob@example.com"}}).fingerprint != once.fingerprint


def test_a_damaged_record_stops_the_run_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match="not readable") as error:
        read_record(tmp_path)
    assert "backup" in str(error.value)


@pytest.mark.parametrize(
    ("text", "is_theirs"),
    [
        ("Anna@Example.com", True),
        ("anna @ example.com", True),
        ("Anna Smith <anna@example.com>", True),
        ("hanna@example.com", False),
        ("anna@example.com.evil.net", False),
        ("bob@gone.example.org", True),
        ("bob@mail.gone.example.org", True),
        ("bob@example.org", False),
        ("", False),
    ],
)
def test_an_address_is_known_in_any_spelling(tmp_path: Path, text: str, is_theirs: bool) -> None:
    assert matcher(tmp_path).email(text) is is_theirs


def test_a_text_loses_the_address_alone(tmp_path: Path) -> None:
    found = matcher(tmp_path)
    text = "call anna@example.com or bob@example.com"
    other = found.replaced(text)
    assert other.startswith("call forgotten-")
    assert other.endswith(" or bob@example.com")
    assert found.replaced(other) == other
    assert found.replaced("ANNA@example.com") == found.replaced("anna @example.com")


def test_a_digest_is_replaced_too(tmp_path: Path) -> None:
    found = matcher(tmp_path)
    digest = hashlib.sha256(ANNA.encode()).hexdigest().upper()
    assert digest not in found.replaced(f"a,{digest}")
    other = hashlib.sha256(b"bob@example.com").hexdigest()
    assert found.replaced(other) == other


def test_accounts_and_contacts_are_known_by_system_and_id(tmp_path: Path) -> None:
    found = matcher(tmp_path)
    assert found.account("crm", "accounts", "A1")
    assert found.account_key("crm:accounts:A1")
    assert not found.account("crm2", "accounts", "A1")
    assert not found.account("crm", "customers", "A1")
    assert found.contact("crm", "P1")
    assert not found.contact("crm", "P2")
    assert found.reference("A1")
    assert found.reference("crm:accounts:A1")
    assert not found.reference("A2")
