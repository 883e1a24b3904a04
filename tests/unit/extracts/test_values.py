"""What becomes of a value: the type it gets or the rule it breaks."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.extracts.connection import connect
from dagster_project.lib.extracts.entities import Column
from dagster_project.lib.extracts.values import WHITE_SPACE, trimmed, typed

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder

# Last characters that a reader could take for more or for less than one: accents, joiners, syllables, marks.
NO_SPACE = "a~!\x00\x1f\x7f\u0085é\u0301\u200d\u1100\u2003日👩"

GOOD: list[tuple[str, str, Any]] = [
    ("amount", "1234.5", Decimal("1234.5000")),
    ("amount", " 12 ", Decimal("12.0000")),
    ("amount", "-0.00005", Decimal("-0.0001")),
    ("amount", "2.00005", Decimal("2.0001")),
    ("amount", "0.000049999", Decimal("0.0000")),
    ("amount", "1e-05", Decimal("0.0000")),
    ("amount", "7e-06", Decimal("0.0000")),
    ("amount", "1.5E3", Decimal("1500.0000")),
    ("amount", "99999999999999.9999", Decimal("99999999999999.9999")),
    ("created_at", "2024-01-05", dt.datetime(2024, 1, 5)),
    ("created_at", "2024-01-05T10:11:12+02:00", dt.datetime(2024, 1, 5, 8, 11, 12)),
    ("created_at", "2024-01-05T10:11Z", dt.datetime(2024, 1, 5, 10, 11)),
    ("created_at", "2024-01-05 10:11:12.5", dt.datetime(2024, 1, 5, 10, 11, 12, 500_000)),
    ("created_at", "2024-01-05T10:11:12.000+0000", dt.datetime(2024, 1, 5, 10, 11, 12)),
    ("close_date", "2024-02-29", dt.date(2024, 2, 29)),
    ("close_date", "2024-01-05 00:00:00", dt.date(2024, 1, 5)),
    ("close_date", "2024-01-05T00:00:00Z", dt.date(2024, 1, 5)),
    ("close_date", "9999-12-31", dt.date(9999, 12, 31)),
    ("is_won", "TRUE", True),
    ("is_won", "y", True),
    ("is_won", "No", False),
    ("is_won", "0", False),
    ("currency", "eur", "EUR"),
    ("probability", "0.25", Decimal("0.250000")),
    ("stage", "NA", "NA"),
    ("stage", "\u00a0Won\t", "Won"),
    ("stage", "   ", None),
    ("stage", '""', None),
    ("stage", '" say ""hi"" "', 'say "hi"'),
]

BAD = [
    ("amount", '"1,234.50"', "not_an_amount", "1,234.50"),
    ("amount", "1_000", "not_an_amount", "1_000"),
    ("amount", "nan", "not_an_amount", "nan"),
    ("amount", "inf", "not_an_amount", "inf"),
    ("amount", "0x10", "not_an_amount", "0x10"),
    ("amount", "12 EUR", "not_an_amount", "12 EUR"),
    ("amount", "1e", "not_an_amount", "1e"),
    ("amount", "100000000000000", "out_of_range", "100000000000000"),
    ("amount", "1e400", "out_of_range", "1e400"),
    ("close_date", "05/01/2024", "not_a_date", "05/01/2024"),
    ("close_date", "2024-02-30", "not_a_date", "2024-02-30"),
    ("close_date", "2024-1-5", "not_a_date", "2024-1-5"),
    ("close_date", "2024-01-5x", "not_a_date", "2024-01-5x"),
    ("close_date", "2024/01/05", "not_a_date", "2024/01/05"),
    ("close_date", "2024-01-05 10:00:00", "not_a_date", "2024-01-05 10:00:00"),
    ("close_date", "1899-12-31", "out_of_range", "1899-12-31"),
    ("close_date", "infinity", "not_a_date", "infinity"),
    ("close_date", "epoch", "not_a_date", "epoch"),
    ("created_at", "2024-01-05T25:00:00", "not_a_timestamp", "2024-01-05T25:00:00"),
    ("created_at", "yesterday", "not_a_timestamp", "yesterday"),
    ("is_won", "maybe", "not_a_boolean", "maybe"),
    ("currency", "EURO", "not_a_currency", "EURO"),
    ("currency", "QQQ", "not_a_currency", "QQQ"),
    ("probability", "50", "out_of_range", "50"),
    ("probability", "-0.1", "out_of_range", "-0.1"),
    ("probability", "half", "not_a_number", "half"),
]


@pytest.mark.parametrize("is_careful", [False, True], ids=["fast", "careful"])
def test_each_good_value_is_loaded_in_its_type(folder: LandingFolder, is_careful: bool) -> None:
    blank = "\n" if is_careful else ""
    for column in {column for column, _, _ in GOOD}:
        cases = [(text, value) for name, text, value in GOOD if name == column]
        lines = "".join(f"{n},A,{text}\n" for n, (text, _) in enumerate(cases))
        landed = folder.land(
            "crm/opportunities.csv", f"opportunity_id,account_id,{column}\n{blank}{lines}"
        )
        assert landed.rejected() == []
        assert landed.rows(column) == [(value,) for _, value in cases]


@pytest.mark.parametrize("is_careful", [False, True], ids=["fast", "careful"])
def test_each_bad_value_rejects_its_row_with_the_rule(
    folder: LandingFolder, is_careful: bool
) -> None:
    blank = "\n" if is_careful else ""
    for column in {case[0] for case in BAD}:
        cases = [case[1:] for case in BAD if case[0] == column]
        lines = "".join(f"{n},A,{text}\n" for n, (text, _, _) in enumerate(cases))
        landed = folder.land(
            "crm/opportunities.csv", f"opportunity_id,account_id,{column}\n{blank}{lines}"
        )
        first = 3 if is_careful else 2
        assert landed.rejected() == [
            (first + n, column, raw, rule, None) for n, (_, rule, raw) in enumerate(cases)
        ]


def test_countries_words_document_types_and_whole_numbers(folder: LandingFolder) -> None:
    accounts = folder.land(
        "crm/accounts.csv",
        "account_id,account_name,account_type,country_code,employee_count\n"
        "1,a,Customer,fr,12\n2,b,PARTNER,XK,12.0\n3,c,client,FR,1\n4,d,,FRA,1\n5,e,,UK,1\n6,f,,ZZ,1\n"
        "7,g,,,1.5\n8,h,,,99999999999999999999\n",
    )
    assert accounts.rows("account_type", "country_code", "employee_count") == [
        ("customer", "FR", 12),
        ("partner", "XK", 12),
    ]
    assert [row[:4] for row in accounts.rejected()] == [
        (4, "account_type", "client", "not_an_allowed_word"),
        (5, "country_code", "FRA", "not_a_country"),
        (6, "country_code", "UK", "not_a_country"),
        (7, "country_code", "ZZ", "not_a_country"),
        (8, "employee_count", "1.5", "not_a_number"),
        (9, "employee_count", "99999999999999999999", "out_of_range"),
    ]
    lines = folder.land(
        "erp/invoice_lines.csv",
        "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency\n"
        "1,1,C,2024-01-01,Credit_Note,-1,EUR\n1,2,C,2024-01-01,rebate,-1,EUR\n",
    )
    assert lines.rows("document_type") == [("credit_note",)]
    assert lines.rejected() == [(3, "document_type", "rebate", "unknown_document_type", None)]


def test_rates_and_units_are_positive(folder: LandingFolder) -> None:
    rates = folder.land(
        "erp/exchange_rates.csv",
        "rate_date,from_currency,to_currency,rate,units\n"
        "2024-01-01,JPY,EUR,0.6123456789,100\n2024-01-01,USD,EUR,0,1\n2024-01-01,GBP,EUR,-1,1\n"
        "2024-01-01,CHF,EUR,1.1,0\n",
    )
    assert rates.rows("rate", "units") == [(Decimal("0.6123456789"), 100)]
    assert [row[:4] for row in rates.rejected()] == [
        (3, "rate", "0", "out_of_range"),
        (4, "rate", "-1", "out_of_range"),
        (5, "units", "0", "out_of_range"),
    ]


def test_a_missing_required_value_rejects_and_the_first_column_counts(
    folder: LandingFolder,
) -> None:
    landed = folder.land(
        "crm/opportunities.csv", "amount,account_id,opportunity_id\nx,,1\n1,A,\ny,A,2\n"
    )
    assert landed.rejected() == [
        (2, "account_id", None, "missing_value", None),
        (3, "opportunity_id", None, "missing_value", None),
        (4, "amount", "y", "not_an_amount", None),
    ]


def test_a_suppression_names_at_least_one_identifier(folder: LandingFolder) -> None:
    landed = folder.land(
        "gov/suppressions.csv", "domain,reason,since\na.com,left,2024-01-01\n,left,2024-01-01\n"
    )
    assert landed.entry.rows_loaded == 1
    assert landed.rejected() == [
        (3, "email, email_sha256, domain, account_id", None, "missing_value", None)
    ]


def test_ids_stay_the_text_they_are(folder: LandingFolder) -> None:
    ids = ["007", "123456789012345678", "NA", "NULL", "None", "nan", "1e5", "0015000000Gv7qJAAR"]
    lines = "".join(f"{text},n\n" for text in ids)
    landed = folder.land("crm/accounts.csv", f"account_id,account_name\n{lines}")
    assert [row[0] for row in landed.rows("account_id")] == ids


AMOUNT = typed(Column(name="amount", type="amount"), "t")


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.decimals(-(10**13), 10**13, allow_nan=False, places=None).map(str),
        st.floats(-1e12, 1e12).map(repr),
        st.text("0123.+-eE_ ", max_size=12),
    )
)
def test_an_amount_is_what_decimal_arithmetic_makes_of_it(text: str) -> None:
    row = _connection().execute(f"select {AMOUNT} from (select trim(?) as t)", [text]).fetchone()
    assert row is not None
    assert row[0] == _expected_amount(text.strip(" "))


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return connect(Path(tempfile.gettempdir()), memory_limit="200MB", threads=1)


def _expected_amount(text: str) -> Decimal | None:
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    if "_" in text or (exact and exact.adjusted() > 13):
        return None
    if exact.adjusted() < -10:
        return Decimal("0.0000")
    rounded = exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    return rounded if rounded.adjusted() < 14 else None


def test_texts_lose_the_white_space_around_them_and_no_more() -> None:
    texts = [
        "".join(text) for size in range(4) for text in product(WHITE_SPACE + NO_SPACE, repeat=size)
    ]
    with duckdb.connect() as connection:
        connection.execute("create table given as select unnest($1) as text", [texts])
        found = connection.execute(f"select text, {trimmed('text')} from given").fetchall()
    assert len(found) == len(texts) > 10_000
    assert [row for row in found if row[1] != (row[0].strip(WHITE_SPACE) or None)] == []
