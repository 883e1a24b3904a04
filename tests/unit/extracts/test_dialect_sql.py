"""A dialect's macros read what people write, and nothing else in silence."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.extracts.connection import connect
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.dialect_sql import UNREADABLE, macros

FRENCH = Dialect(
    decimal=",",
    thousands=(" ", "\u00a0", "\u202f", "'"),
    negatives=("leading", "trailing", "brackets"),
    currency_signs=("€", "EUR"),
    dates=("%d/%m/%Y", "%d/%m/%y", "%Y%m%d"),
    timestamps=("%d/%m/%Y %H:%M",),
    true_words=("oui", "vrai"),
    false_words=("non", "faux"),
)


class Reader:
    """Evaluates macros of a dialect on one text."""

    def __init__(self, folder: Path, dialect: Dialect, *, is_native: bool = False) -> None:
        self.connection = connect(folder, memory_limit="200MB", threads=1)
        for statement in macros(dialect, is_native=is_native):
            self.connection.execute(statement)

    def __call__(self, call: str, *texts: str | None) -> str | None:
        row = self.connection.execute(f"select {call}", list(texts)).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="module")
def french(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("french"), FRENCH)


def _is_unreadable(text: str | None) -> bool:
    return text is not None and text.startswith(UNREADABLE)


@pytest.mark.parametrize(
    ("delivered", "canonical"),
    [
        ("1234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234\u202f567,8", "1234567.8"),
        ("12'345", "12345"),
        ("-3,5", "-3.5"),
        ("- 3,5", "-3.5"),
        ("\u2212 3,5", "-3.5"),
        ("3,50-", "-3.50"),
        ("(1 000,00)", "-1000.00"),
        ("1 234,56 €", "1234.56"),
        ("EUR -12,00", "-12.00"),
        ("12,00 eur", "12.00"),
        (",5", ".5"),
        ("0", "0"),
    ],
)
def test_numbers_are_read_exactly(french: Reader, delivered: str, canonical: str) -> None:
    assert french("as_number($1)", delivered) == canonical


@pytest.mark.parametrize(
    "delivered",
    ["1234.56", "1.234,56", "1 23,4", "1 2345", "12,3,4", "--1", "1-2", "(1", "1 USD", "abc", "-"],
)
def test_what_the_dialect_does_not_write_is_unreadable(french: Reader, delivered: str) -> None:
    assert _is_unreadable(french("as_number($1)", delivered))


@pytest.mark.parametrize(
    ("call", "delivered", "canonical"),
    [
        ("as_date($1)", "01/02/2026", "2026-02-01"),
        ("as_date($1)", "1/2/26", "2026-02-01"),
        ("as_date($1)", "20260201", "2026-02-01"),
        ("as_date($1)", "31/12/2025 00:00:00", "2025-12-31"),
        ("as_timestamp($1)", "01/02/2026 08:30", "2026-02-01T08:30:00"),
        ("as_timestamp($1)", "01/02/2026", "2026-02-01T00:00:00"),
        ("as_boolean($1)", "Oui", "true"),
        ("as_boolean($1)", "0", "false"),
        ("as_country($1)", "Allemagne", "DE"),
        ("as_country($1)", "États-Unis", "US"),
        ("as_country($1)", "united kingdom", "GB"),
        ("as_country($1)", "fr", "FR"),
        ("as_country($1)", "Atlantis", "Atlantis"),
        ("without_zeros($1)", "0000012300", "12300"),
        ("without_zeros($1)", "000", "0"),
        ("without_zeros($1)", "00A1", "00A1"),
        ("negated($1)", "-1.5", "1.5"),
        ("negated($1)", "1.5", "-1.5"),
    ],
)
def test_texts_become_canonical(french: Reader, call: str, delivered: str, canonical: str) -> None:
    assert french(call, delivered) == canonical


@pytest.mark.parametrize(
    ("call", "delivered"),
    [
        ("as_date($1)", "2026-02-01"),
        ("as_date($1)", "31/02/2026"),
        ("as_date($1)", "13/13/2026"),
        ("as_date($1)", "01/02/026"),
        ("as_timestamp($1)", "01/02/2026 25:00"),
        ("as_boolean($1)", "peut-être"),
    ],
)
def test_no_date_and_no_word_is_guessed(french: Reader, call: str, delivered: str) -> None:
    assert _is_unreadable(french(call, delivered))


@pytest.mark.parametrize(
    "call", ["as_number($1)", "as_date($1)", "as_timestamp($1)", "as_boolean($1)", "negated($1)"]
)
def test_nothing_stays_nothing(french: Reader, call: str) -> None:
    assert french(call, None) is None


def test_an_unreadable_part_spoils_what_is_made_of_it(french: Reader) -> None:
    bad = french("as_number($1)", "1.5")
    assert _is_unreadable(french("negated($1)", bad))
    assert _is_unreadable(french("added($1, $2)", bad, "1"))
    assert _is_unreadable(french("added($1, $2)", "1", bad))
    assert _is_unreadable(french("scaled($1, 100)", bad))
    assert Decimal(str(french("added($1, $2)", "0.1", "0.2"))) == Decimal("0.3")
    assert french("added($1, $2)", "0.1", None) == "0.1"
    assert Decimal(str(french("scaled($1, 100)", "12.3456"))) == Decimal("1234.56")


def test_dates_of_typed_cells_are_read_beside_texts(tmp_path: Path) -> None:
    read = Reader(tmp_path, FRENCH, is_native=True)
    assert read("as_date($1)", "2026-02-01") == "2026-02-01"
    assert read("as_date($1)", "2026-02-01 00:00:00") == "2026-02-01 00:00:00"
    assert read("as_date($1)", "01/02/2026") == "2026-02-01"
    assert _is_unreadable(read("as_number($1)", "1234.5"))


def test_the_generic_dialect_leaves_texts_to_the_canonical_types(tmp_path: Path) -> None:
    read = Reader(tmp_path, Dialect())
    for call in ("as_number($1)", "as_date($1)", "as_timestamp($1)", "as_boolean($1)"):
        assert read(call, " as 1,2 it is") == " as 1,2 it is"


_GROUPED = re.compile(r"[0-9]{1,3}([ \u00a0\u202f'][0-9]{3})+|[0-9]+")


def _reference(text: str) -> Decimal | None:
    """The number of a French text, by another way than regular expressions over the whole."""
    body = text.strip()
    is_negative = False
    if body.startswith("(") and body.endswith(")"):
        is_negative, body = True, body[1:-1]
    elif body.endswith("-"):
        is_negative, body = True, body[:-1]
    elif body[:1] in ("-", "+"):
        is_negative, body = body[0] == "-", body[1:]
    whole, comma, part = body.strip(" \u00a0\u202f").partition(",")
    if comma and not re.fullmatch("[0-9]*", part):
        return None
    if not _GROUPED.fullmatch(whole) and not (not whole and part):
        return None
    digits = re.sub("[^0-9]", "", whole) or "0"
    value = Decimal(f"{digits}.{part or '0'}")
    return -value if is_negative else value


@given(st.text(alphabet="0123456789,,.  -+()\u00a0'", min_size=1, max_size=9))
def test_every_text_is_the_references_number_or_unreadable(french: Reader, text: str) -> None:
    text = text.strip(" \u00a0")
    if not text:
        return
    found, expected = french("as_number($1)", text), _reference(text)
    if expected is None:
        assert _is_unreadable(found), (text, found)
    else:
        assert found is not None and not _is_unreadable(found), (text, found)
        assert Decimal(found) == expected


def test_connections_are_closed() -> None:
    """No macro outlives its connection: they are temporary."""
    with duckdb.connect() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("select as_number('1')")
