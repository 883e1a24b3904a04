"""Phone numbers in E.164: fixed vectors, the file of a run, and what is not told of them."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from dagster_project.lib import phones
from dagster_project.lib.normal_forms import NormalForm
from dagster_project.lib.phones import normalise_phone, normalise_phones

# French mobile and fixed numbers, in the spellings that CRMs hold.
MOBILE = ["06 12 34 56 78", "0612345678", "+33 6 12 34 56 78", "0033612345678", "06.12.34.56.78"]
MOBILE += ["06-12-34-56-78", "+33 (0)6 12 34 56 78", "(0)6 12 34 56 78", "0033 (0)6 12 34 56 78"]
MOBILE += ["06\u202f12\u202f34\u202f56\u202f78", "06\u00a012 34\u200b56 78", " 06/12/34/56/78 "]
FIXED = ["04 72 00 11 22", "0472001122", "+33 4 72 00 11 22", "0033472001122", "04.72.00.11.22"]
FIXED += ["+33 (0)4 72 00 11 22", "(0)4 72 00 11 22", "+33472001122x123", "04 72 00 11 22 ext. 9"]


@pytest.mark.parametrize("raw", MOBILE)
def test_french_mobile_number_in_any_spelling(raw: str) -> None:
    assert normalise_phone(raw, "FR") == NormalForm("+33612345678")


@pytest.mark.parametrize("raw", FIXED)
def test_french_fixed_number_in_any_spelling(raw: str) -> None:
    assert normalise_phone(raw, "FR") == NormalForm("+33472001122")


@pytest.mark.parametrize(
    ("raw", "country", "normalised"),
    [
        ("+33 6 12 34 56 78", "DE", "+33612345678"),
        ("+33 6 12 34 56 78", "", "+33612345678"),
        ("0033 6 12 34 56 78", "", "+33612345678"),
        ("0711 1234567", "DE", "+497111234567"),
        ("(650) 555-1212", "US", "+16505551212"),
        ("011 44 20 7031 3000", "US", "+442070313000"),
        ("020 7031 3000", "GB", "+442070313000"),
        ("030 2423 456", "IT", "+390302423456"),
        ("0690 12 34 56", "FR", "+590690123456"),
        ("0696 12 34 56", "MQ", "+596696123456"),
    ],
)
def test_a_number_is_read_in_its_country(raw: str, country: str, normalised: str) -> None:
    assert normalise_phone(raw, country) == NormalForm(normalised)


@pytest.mark.parametrize(
    ("raw", "country", "problem"),
    [
        ("06 12 34 56 78", "", "no_country"),
        ("06 12 34 56 78", "ZZ", "no_country"),
        ("06 12 34 56", "FR", "invalid"),
        ("00 00 00 00 00", "FR", "invalid"),
        ("n/a", "FR", "invalid"),
        ("n/a", "", "invalid"),
        ("+33", "FR", "invalid"),
        ("+999 123", "", "invalid"),
        ("", "FR", "invalid"),
    ],
)
def test_what_is_no_number_says_why(raw: str, country: str, problem: str) -> None:
    assert normalise_phone(raw, country) == NormalForm(None, problem)


def landed(folder: Path) -> tuple[Path, Path]:
    """Contacts with and without a country of their own, and their accounts, one in two versions."""
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * from (values ('crm', '1', '06 12 34 56 78', 'FR'),"
            " ('crm', '1', '0711 1234567', null), ('crm', '2', '06 12 34 56 78', null),"
            " ('other', '1', '06 12 34 56 78', null), ('crm', '1', null, 'FR'))"
            f" as t (source_system, account_id, phone, country_code)) to '{folder / 'contacts.parquet'}'"
        )
        connection.execute(
            "copy (select * from (values ('crm', '1', 'DE'), ('crm', '2', 'FR'),"
            " ('crm', '2', 'BE')) as t (source_system, account_id, country_code))"
            f" to '{folder / 'accounts.parquet'}'"
        )
    return Path("contacts.parquet"), Path("accounts.parquet")


def test_the_file_holds_each_number_in_the_country_of_contact_or_account(tmp_path: Path) -> None:
    contacts, accounts = landed(tmp_path)
    target = tmp_path / "new" / "phones.parquet"
    counts = normalise_phones(tmp_path, [contacts], [accounts], target)
    rows = {
        (row["raw_value"], row["country_code"]): row for row in pq.read_table(target).to_pylist()
    }
    assert {key: (row["normalised"], row["problem"]) for key, row in rows.items()} == {
        ("06 12 34 56 78", ""): (None, "no_country"),
        ("06 12 34 56 78", "BE"): (None, "invalid"),
        ("06 12 34 56 78", "FR"): ("+33612345678", None),
        ("0711 1234567", "DE"): ("+497111234567", None),
    }
    assert counts == {"phone": 2, "phone_invalid": 1, "phone_no_country": 1}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_no_contacts_and_no_accounts_make_an_empty_file(tmp_path: Path) -> None:
    contacts, _ = landed(tmp_path)
    target = tmp_path / "phones.parquet"
    assert normalise_phones(tmp_path, [], [], target) == {}
    assert pq.read_table(target).num_rows == 0
    assert normalise_phones(tmp_path, [contacts], [], target)["phone"] == 1


def test_known_numbers_are_not_parsed_again_and_forgotten_ones_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts, accounts = landed(tmp_path)
    target = tmp_path / "phones.parquet"
    whole = normalise_phones(tmp_path, [contacts], [accounts], target)
    content = target.read_bytes()

    def refuse(*_: str) -> NormalForm:
        raise AssertionError("parsed again")

    monkeypatch.setattr(phones, "normalise_phone", refuse)
    assert normalise_phones(tmp_path, [contacts], [accounts], target) == whole
    assert target.read_bytes() == content
    assert normalise_phones(tmp_path, [], [], target) == {}
    assert pq.read_table(target).num_rows == 0
    monkeypatch.undo()
    target.write_bytes(b"damaged")
    assert normalise_phones(tmp_path, [contacts], [accounts], target) == whole
    assert target.read_bytes() == content


def test_no_number_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    contacts, accounts = landed(tmp_path)
    with caplog.at_level(logging.DEBUG):
        normalise_phones(tmp_path, [contacts], [accounts], tmp_path / "phones.parquet")
    assert "phones" in caplog.text
    assert "12 34" not in caplog.text and "612345678" not in caplog.text
