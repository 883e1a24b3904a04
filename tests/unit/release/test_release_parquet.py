"""The marts' files: the same bytes and hashes on any number of threads and in any order of rows."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dagster_project.lib.release.content import _RowsDigest
from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.marts import Mart, MartError
from dagster_project.lib.release.parquet import MartFile, write_marts
from tests.unit.release.plain_hash import columns_hashed, header_of

ROWS = 150_000
MOMENT = datetime(2026, 11, 24, 15, 22, 33, 120)
UPDATE = _RowsDigest.update
MONTHLY = Mart(
    "account_monthly",
    ("account_key", "month"),
    description="One row per account and month; it's additive.",
    columns={"account_key": "Key of the account's row.", "absent": "Not there."},
)
SELECTED = f"""
    select
        'crm:accounts:' || (i % 1000)::varchar as account_key,
        date '2000-01-01' + (i // 1000)::integer as month,
        case
            when i % 3 = 0 then null when i % 5 = 0 then '' else 'Société ' || (i % 97)
        end as name,
        (i * 1.37)::decimal(18, 4) as revenue,
        round(i / {ROWS}, 12)::double as share,
        i % 2 = 0 as is_active,
        timestamp '2026-11-24 15:22:33' + to_seconds(i % 7) as updated_at
    from range({ROWS}) as numbers (i)
"""


def files_of(folder: Path, threads: int, seed: float, *, memory: str = "1GB") -> list[MartFile]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "preserve_insertion_order": False,
        "memory_limit": memory,
        "temp_directory": str(folder / "spill"),
    }
    with duckdb.connect(config=config) as connection:
        connection.execute(f"select setseed({seed})")
        connection.execute("create schema marts")
        connection.execute(
            f"create table marts.account_monthly as select * from ({SELECTED}) order by random()"
        )
        return write_marts(connection, marts=[MONTHLY], folder=folder / "marts")


def one_mart(folder: Path, query: str, key: Sequence[str] = ("k",)) -> MartFile:
    with duckdb.connect() as connection:
        connection.execute(f"create schema marts; create view marts.m as {query}")
        return write_marts(connection, marts=[Mart("m", tuple(key))], folder=folder)[0]


def test_bytes_do_not_depend_on_threads_or_order(tmp_path: Path) -> None:
    runs = [
        files_of(tmp_path / name, threads, seed)[0]
        for name, threads, seed in (("a", 1, 0.1), ("b", 4, 0.7), ("c", 2, 0.3))
    ]
    assert {run.rows for run in runs} == {ROWS}
    assert len({run.sha256 for run in runs}) == 1
    assert len({hashlib.sha256(run.path.read_bytes()).digest() for run in runs}) == 1


def test_rows_lie_in_key_order(tmp_path: Path) -> None:
    path = files_of(tmp_path, 4, 0.5)[0].path
    rows = duckdb.sql(f"select account_key, month from read_parquet('{path}')").fetchall()
    assert rows == sorted(rows)


def test_hash_is_what_its_description_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {
        "k": "text",
        "amount": "decimal.2",
        "share": "double",
        "name": "text",
        "day": "date",
        "moment": "timestamp",
        "is_it": "whole",
        "count": "whole",
        "other": "text",
    }
    rows: list[tuple[Any, ...]] = [
        ("a", None, 1e-5, "é|", None, None, True, None, None),
        ("b", Decimal("1.50"), 0.1, None, date(1969, 12, 31), None, None, -7, "[x]"),
        ("c", Decimal("-0.01"), None, "", date(2026, 1, 31), MOMENT, False, 2**40, "[]"),
        ("d", Decimal("0.00"), -0.0, "日本", None, None, None, 0, None),
        ("e", Decimal("0.00"), 123456.1, "", None, None, None, 0, None),
        ("f", Decimal("0.00"), 1e300, "", None, None, None, 0, None),
    ]
    selects = [
        "select 'a' as k, null::decimal(9, 2) as amount, 1e-5::double as share, 'é|' as name, "
        "null::date as day, null::timestamp as moment, true as is_it, null::bigint as count, "
        "null::varchar[] as other",
        "select 'b', 1.5, 0.1, null, date '1969-12-31', null, null, -7, ['x']",
        f"select 'c', -0.01, null, '', date '2026-01-31', timestamp '{MOMENT}', false, {2**40}, []",
        "select 'd', 0, -1e-15::double, '日本', null, null, null, 0, null",
        "select 'e', 0, 123456.1::double, '', null, null, null, 0, null",
        "select 'f', 0, 1e300::double, '', null, null, null, 0, null",
    ]
    query = " union all ".join(selects)
    said = hashlib.sha256(header_of(ways) + columns_hashed(ways, rows)).hexdigest()
    assert one_mart(tmp_path / "1", query).sha256 == said
    # a batch is whatever the engine makes it
    monkeypatch.setattr(_RowsDigest, "update", _row_by_row)
    assert one_mart(tmp_path / "2", query).sha256 == said


def _row_by_row(self: _RowsDigest, batch: pa.RecordBatch) -> None:
    for row in range(len(batch)):
        UPDATE(self, batch.slice(row, 1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select 'a' as k, null::varchar as v", "select 'a' as k, '' as v"),
        ("select 'a' as k, '-' as v", "select 'a' as k, null::varchar as v"),
        ("select 'a' as k, '1|2:x' as v", "select 'a' as k, '1' as v"),
        ("select 'a' as k, 1::decimal(9, 2) as v", "select 'a' as k, 1.01::decimal(9, 2) as v"),
        ("select 'a' as k, 0.1::double as v", "select 'a' as k, 0.100000000001::double as v"),
        ("select 'a' as k, 1 as v", "select 'a' as k, 1 as w"),
        ("select 'a' as k, 1.5::decimal(9, 1) as v", "select 'a' as k, 0.15::decimal(9, 2) as v"),
        ("select 'a' as k, null::bigint as v", "select 'a' as k, 0::bigint as v"),
        (
            "select unnest(['a', 'b']) as k, unnest(['xy', 'z']) as v",
            "select unnest(['a', 'b']) as k, unnest(['x', 'yz']) as v",
        ),
        ("select 'a' as k", "select 'a' as k where false"),
    ],
)
def test_different_contents_hash_apart(tmp_path: Path, one: str, other: str) -> None:
    first, second = one_mart(tmp_path / "1", one), one_mart(tmp_path / "2", other)
    assert first.sha256 != second.sha256


@pytest.mark.parametrize(
    "query",
    [
        "select unnest(['a', 'b', 'a']) as k",
        "select unnest(['a', null]) as k",
        "select 'a' as another",
    ],
)
def test_bad_key_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(MartError, match=r"^mart m: "):
        one_mart(tmp_path, query)


def test_absent_mart_is_named(tmp_path: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(MartError, match=r"mart gone: .*build it"):
        write_marts(connection, marts=[Mart("gone", ("k",))], folder=tmp_path)


def test_database_holds_marts_with_comments_in_the_oldest_format(tmp_path: Path) -> None:
    files_of(tmp_path, 2, 0.2)
    target = tmp_path / "marts.duckdb"
    write_database(marts=[MONTHLY], folder=tmp_path / "marts", target=target)
    assert [path.name for path in tmp_path.glob("marts.duckdb*")] == ["marts.duckdb"]
    with target.open("rb") as stream:
        # The block header's checksum, the magic bytes, the storage version: 64 is that of v1.0.0.
        assert struct.unpack("<8s4sQ", stream.read(20))[1:] == (b"DUCK", 64)
    with duckdb.connect(str(target), read_only=True) as connection:
        table = connection.execute(
            "select schema_name, table_name, comment, estimated_size from duckdb_tables()"
        ).fetchall()
        comments = connection.execute(
            "select column_name, comment from duckdb_columns() where comment is not null"
        ).fetchall()
        sql = "select account_key, month from account_monthly"
        rows = connection.execute(sql).fetchall()
    assert table == [("main", "account_monthly", MONTHLY.description, ROWS)]
    assert comments == [("account_key", "Key of the account's row.")]
    assert rows == sorted(rows)
