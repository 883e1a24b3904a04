"""Landing: schema, ledger, formats, and what happens the second time."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.ledger import hash_file, read_ledger
from dagster_project.lib.extracts.writing import empty_parquet

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder

USERS = "user_id,user_name,is_active\n1,Ann,true\n2,Zoë,no\n"
SchemaOf = Callable[[str], list[tuple[str, str]]]


def schema_in(path: Path) -> list[tuple[str, str]]:
    described = duckdb.execute(f"describe select * from read_parquet('{path}')").fetchall()
    return [(row[0], row[1]) for row in described]


@pytest.mark.parametrize("entity", sorted(load_entities()))
def test_every_entity_lands_in_its_exact_schema(
    folder: LandingFolder, entity: str, schema_of: SchemaOf
) -> None:
    empty = empty_parquet(load_entities()[entity], folder.raw)
    assert schema_in(empty) == schema_of(entity)
    assert duckdb.execute(f"select count(*) from '{empty}'").fetchone() == (0,)
    landed = folder.land(f"any/{entity}.csv", ",".join(load_entities()[entity].columns) + "\n")
    assert schema_in(landed.path) == schema_of(entity)
    assert landed.entry.rows_read == 0


def test_the_ledger_says_what_was_read(folder: LandingFolder) -> None:
    landed = folder.land("crm/users_1.csv", "User_ID , team,is_active,\n1,North,true,\n2,,x,\n")
    entry = landed.entry
    assert read_ledger(folder.raw) == (entry,)
    assert entry.sha256 == hash_file(folder.landing / "crm" / "users_1.csv")
    assert (entry.file, entry.system, entry.entity) == ("crm/users_1.csv", "crm", "users")
    assert (entry.rows_read, entry.rows_loaded, entry.rows_rejected) == (2, 1, 1)
    assert entry.extra_columns == ("team", "column_4")
    assert entry.absent_columns == ("user_name", "email", "available_hours_per_year")
    assert entry.landed == f"{entry.delivery_id:016x}.parquet"
    assert (entry.encoding, entry.dialect) == ("utf-8", "csv, comma, lf")
    assert landed.rows(
        "user_id", "extra_columns", "source_system", "delivery_id", "line_offset"
    ) == [("1", '{"team":"North","column_4":null}', "crm", entry.delivery_id, 2)]
    rejected = duckdb.execute(f"select * from '{folder.raw}/rejected/{entry.rejected}'").fetchone()
    assert rejected == (
        "users", "crm", "crm/users_1.csv", entry.delivery_id, 3, "is_active", "x", "not_a_boolean",
        None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "encoding", "dialect"),
    [
        ("users.csv", USERS.encode(), "utf-8", "csv, comma, lf"),
        (
            "users.csv",
            b"\xef\xbb\xbf" + USERS.encode(),
            "utf-8 with byte-order mark",
            "csv, comma, lf",
        ),
        ("users.csv", USERS.replace("\n", "\r\n").encode(), "utf-8", "csv, comma, crlf"),
        ("users.csv", USERS.replace("\n", "\r").encode(), "utf-8", "csv, comma, cr"),
        ("users.csv", USERS.rstrip().encode(), "utf-8", "csv, comma, lf"),
        (
            "users.csv",
            b"\xef\xbb\xbf\n" + USERS.encode(),
            "utf-8 with byte-order mark",
            "csv, comma, lf",
        ),
        ("users.tsv", USERS.replace(",", "\t").encode(), "utf-8", "csv, tab, lf"),
        ("users.txt", USERS.encode(), "utf-8", "csv, comma, lf"),
        ("users.csv.gz", gzip.compress(USERS.encode(), mtime=0), "utf-8", "csv, comma, lf, gzip"),
    ],
)
def test_each_form_of_text_is_read(
    folder: LandingFolder, name: str, content: bytes, *, encoding: str, dialect: str
) -> None:
    landed = folder.land(f"crm/{name}", content)
    assert landed.rows("user_id", "user_name", "is_active") == [
        ("1", "Ann", True),
        ("2", "Zoë", False),
    ]
    assert (landed.entry.encoding, landed.entry.dialect) == (encoding, dialect)


def test_a_file_name_is_no_pattern(folder: LandingFolder) -> None:
    table = pa.table({"user_id": ["1"]})
    (folder.landing / "crm").mkdir(parents=True)
    pq.write_table(table, folder.landing / "crm" / "users [1]*'?.parquet")
    assert folder.land("crm/users [1]*'?.parquet").rows("user_id") == [("1",)]
    assert folder.land("crm/users [2] (copy).csv", USERS).rows("line_number") == [(None,), (None,)]


def test_a_clean_file_leaves_line_numbers_to_the_order(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", USERS)
    assert landed.rows("line_number", "line_offset") == [(None, 2), (None, 2)]
    assert landed.lines() == [2, 3]


def test_a_second_landing_costs_the_hash_only(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = folder.land("crm/users.csv", USERS)
    monkeypatch.setattr(
        "dagster_project.lib.extracts.connection.connect",
        lambda *_, **__: pytest.fail("read again"),
    )
    assert folder.land("crm/users.csv").entry == first.entry
    assert folder.land("crm/users_copy.csv", USERS).entry == first.entry
    monkeypatch.undo()
    assert folder.land("erp/users.csv", USERS).entry.delivery_id != first.entry.delivery_id
    changed = folder.land("crm/users.csv", USERS + "3,Cid,\n")
    assert changed.entry.delivery_id != first.entry.delivery_id
    assert first.path.is_file()


def test_a_landing_without_its_ledger_is_done_again(folder: LandingFolder) -> None:
    first = folder.land("crm/users.csv", USERS)
    first.path.unlink()
    assert folder.land("crm/users.csv").entry == first.entry
    assert first.path.is_file()
    assert list(folder.raw.rglob("*.part")) == []


def test_logs_hold_no_values(folder: LandingFolder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    folder.land("crm/users.csv", USERS + "3,Confidential,what\n4,Confi")
    assert "Confi" not in caplog.text
    assert "2 rejected" in caplog.text


def test_parquet_from_pandas_becomes_canonical(folder: LandingFolder, schema_of: SchemaOf) -> None:
    frame = pd.DataFrame(
        {
            "opportunity_id": [1.0, 2.0, 3.0],
            "account_id": pd.array([123456789012345678, None, 9], dtype="Int64"),
            "amount": [0.1, 1e-05, 1234.56785],
            "currency": pd.Categorical(["eur", "USD", "EUR"]),
            "probability": [0.5, None, 1.0],
            "close_date": pd.to_datetime(["2024-01-05", "2024-01-06", "2024-01-07"]),
            "created_at": pd.to_datetime(["2024-01-05 01:00"] * 3).tz_localize("Europe/Paris"),
            "is_won": pd.array([True, None, False], dtype="boolean"),
            "stage": [" Won ", "\tLost\u00a0", ""],
            "owner": ["a", "b", "c"],
        }
    )
    (folder.landing / "crm").mkdir(parents=True)
    frame.to_parquet(folder.landing / "crm" / "opportunities.parquet")
    landed = folder.land("crm/opportunities.parquet")
    assert schema_in(landed.path) == schema_of("opportunities")
    assert landed.rejected() == [(2, "account_id", None, "missing_value", None)]
    assert landed.lines() == [1, 3]
    first, third = landed.rows(*list(frame.columns[:9]), "extra_columns")
    assert first == (
        "1", "123456789012345678", Decimal("0.1000"), "EUR", Decimal("0.5"), dt.date(2024, 1, 5),
        dt.datetime(2024, 1, 5), True, "Won", '{"owner":"a"}',
    )  # fmt: skip
    assert third[2] == Decimal("1234.5679")
    assert third[8] is None


def test_parquet_types_that_do_not_fit_reject_the_row(folder: LandingFolder) -> None:
    table = pa.table(
        {
            "invoice_id": pa.array(["a\0b", "2", "3", "4", "5"]),
            "line_id": pa.array([1.0, 1.5, 1e17, 1.0, 1.0]),
            "customer_id": pa.array([1, 2, 3, 4, 5], pa.int8()),
            "invoice_date": pa.array([dt.datetime(2024, 1, 5, h) for h in (0, 0, 0, 7, 0)]),
            "document_type": pa.array(["invoice"] * 5).dictionary_encode(),
            "net_amount": pa.array(
                [Decimal("1.00005")] * 4 + [Decimal("1e20")], pa.decimal128(38, 5)
            ),
            "currency": pa.array(["EUR"] * 5, pa.large_string()),
        }
    )
    (folder.landing / "erp").mkdir(parents=True)
    pq.write_table(table, folder.landing / "erp" / "invoice_lines.parquet")
    landed = folder.land("erp/invoice_lines.parquet")
    assert landed.rows("line_id", "net_amount", "customer_id") == [("1.5", Decimal("1.0001"), "2")]
    assert [(row[0], row[1], row[3]) for row in landed.rejected()] == [
        (1, "invoice_id", "nul_byte"),
        (3, "line_id", "out_of_range"),
        (4, "invoice_date", "not_a_date"),
        (5, "net_amount", "out_of_range"),
    ]


def test_parquet_without_a_required_column_or_with_a_nested_one_fails(
    folder: LandingFolder,
) -> None:
    (folder.landing / "crm").mkdir(parents=True)
    for columns, text in [
        ({"user_name": ["a"]}, r"crm/users\.parquet, column user_id: the required column"),
        ({"user_id": [["a"]]}, "column user_id: the column is nested"),
        ({"user_id": ["a"], "User_ID": ["b"]}, "more than once"),
    ]:
        pq.write_table(pa.table(columns), folder.landing / "crm" / "users.parquet")
        with pytest.raises(ExtractError, match=text):
            folder.land("crm/users.parquet")


def test_the_sample_company_lands_without_a_rejected_row(folder: LandingFolder) -> None:
    shared = Path(__file__).parents[3].parent / "shared" / "data" / "adventureworks"
    if not shared.is_dir():
        pytest.skip("the shared sample company is not beside the project")
    lines = (shared / "erp" / "invoice_lines.csv").read_bytes()
    landed = folder.land("erp/invoice_lines.csv", lines)
    assert (landed.entry.rows_loaded, landed.entry.rows_rejected) == (60_855, 0)


def test_a_rejected_row_keeps_its_date_and_money_where_they_can_be_read(
    folder: LandingFolder,
) -> None:
    header = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency\n"
    rows = [
        "I1,1,C1,2025-05-15,gift,12.5,EUR",
        "I2,1,C1,hier,invoice,12.5,EUR",
        "I3,1,C1,2025-05-15,invoice,many,EUR",
        "I4,1,C1,2025-05-15,invoice,12.5",
    ]
    landed = folder.land("erp/invoice_lines.csv", header + "\n".join(rows) + "\n")
    placed = duckdb.execute(
        "select line_number, row_date, row_amount, row_currency "
        f"from '{folder.raw}/rejected/{landed.entry.rejected}' order by line_number"
    ).fetchall()
    day, amount = dt.date(2025, 5, 15), Decimal("12.5000")
    assert placed == [
        (2, day, amount, "EUR"),
        (3, None, amount, "EUR"),
        (4, day, None, "EUR"),
        (5, None, None, None),
    ]


def test_unknown_columns_of_one_name_are_both_kept(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", "user_id,x,x,\n1,a,b,c\n")
    assert landed.rows("extra_columns") == [('{"x":"a","x (2)":"b","column_4":"c"}',)]
    assert landed.entry.extra_columns == ("x", "x (2)", "column_4")
