"""Marts by part: what did not change is not written again, and nobody can tell from the release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest

from dagster_project.lib.release import database, parted
from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.joined import JoinError, join_parquet
from dagster_project.lib.release.kept_tables import keep_tables
from dagster_project.lib.release.marts import Mart, MartError
from dagster_project.lib.release.parquet import MartFile, write_marts
from dagster_project.lib.release.parts import Slice, slices
from tests.unit.release.plain_hash import columns_hashed, header_of

ACCOUNTS = 500
HISTORY = Mart("history", ("as_of", "account_key"), parts="as_of")
SELECTED = f"""
    select
        (date '2026-01-01' + to_months((i // {ACCOUNTS})::integer))::date as as_of,
        'crm:accounts:' || (i % {ACCOUNTS})::varchar as account_key,
        (i * 1.37)::decimal(18, 4) as revenue,
        round(i / 7919, 12) as share,
        case when i % 3 > 0 then ['A', 'B', 'C'][1 + i % 3] end as tier,
        i % 2 = 0 as is_new
    from range({4 * ACCOUNTS}) as numbers (i)
"""
ALL_MONTHS = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]


@pytest.fixture(autouse=True)
def parts_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parted, "PARTS_FROM_ROWS", 1)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as connection:
        connection.execute(f"create schema marts; create table marts.history as {SELECTED}")
        yield connection


class Company:
    """Writes the warehouse again and again, keeping parts, and says which were made."""

    def __init__(self, warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.parts = folder / "parts" / HISTORY.name
        self.count = 0

    def write(self, mart: Mart = HISTORY) -> MartFile:
        self.count += 1
        target = self.folder / str(self.count)
        return write_marts(self.warehouse, marts=[mart], folder=target, parts=self.parts.parent)[0]

    def months_made(self) -> list[str]:
        """Writes; the months whose part is a new file."""
        before = self._files()
        self.write()
        made = sorted(path for path, state in self._files().items() if before.get(path) != state)
        return sorted(_month(path) for path in made)

    def anew(self) -> MartFile:
        """Writes without any kept part."""
        return write_marts(self.warehouse, marts=[HISTORY], folder=self.folder / "anew")[0]

    def _files(self) -> dict[Path, tuple[int, int]]:
        found = self.parts.glob("*.parquet")
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in found}


@pytest.fixture
def company(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> Company:
    return Company(warehouse, tmp_path)


def _month(path: Path) -> str:
    row = duckdb.sql(f"select min(as_of)::varchar from read_parquet('{path}')").fetchone()
    assert row is not None
    return str(row[0])


def same(one: MartFile, other: MartFile) -> bool:
    return (one.rows, one.sha256, one.path.read_bytes()) == (
        other.rows,
        other.sha256,
        other.path.read_bytes(),
    )


def test_first_load_makes_every_part_and_a_second_none(company: Company) -> None:
    assert company.months_made() == ALL_MONTHS
    assert company.months_made() == []


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (
            "update marts.history set revenue = 1 where as_of = '2026-03-01' "
            "and account_key = 'crm:accounts:7'",
            ["2026-03-01"],
        ),
        ("delete from marts.history where as_of = '2026-01-01'", []),
        (
            "delete from marts.history where as_of = '2026-02-01' "
            "and account_key = 'crm:accounts:7'",
            ["2026-02-01"],
        ),
        (
            "insert into marts.history select (as_of + interval 1 month)::date, "
            "* exclude (as_of) from marts.history where as_of = '2026-04-01'",
            ["2026-05-01"],
        ),
        # Two accounts swap the last column of the table: sums of plain hashes may not see it.
        (
            "update marts.history set is_new = not is_new where as_of = '2026-02-01' "
            "and account_key in ('crm:accounts:7', 'crm:accounts:8')",
            ["2026-02-01"],
        ),
        ("alter table marts.history alter revenue type decimal(20, 4)", ALL_MONTHS),
        ("alter table marts.history add column posture varchar", ALL_MONTHS),
    ],
    ids=["changed", "removed part", "removed row", "added part", "swapped", "type", "column"],
)
def test_only_what_changed_is_made_and_the_release_is_that_of_a_first_load(
    company: Company, change: str, made: list[str]
) -> None:
    before = company.write()
    company.warehouse.execute(change)
    assert company.months_made() == made
    after = company.write()
    assert after.sha256 != before.sha256 or "type" in change
    assert same(after, company.anew())


def test_order_of_rows_in_the_warehouse_changes_no_part(company: Company) -> None:
    before = company.write()
    company.warehouse.execute(
        "create or replace table marts.history as select * from marts.history order by random()"
    )
    assert company.months_made() == []
    assert same(before, company.anew())


@pytest.mark.parametrize("damage", ["absent", "cut", "changed", "index"])
def test_damaged_part_is_made_again(company: Company, damage: str) -> None:
    before = company.write()
    path = min(company.parts.glob("*.parquet"))
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    else:
        (company.parts / "index.json").write_text("{")
    assert company.months_made() == (ALL_MONTHS if damage == "index" else [_month(path)])
    assert same(before, company.write())


def test_parts_that_the_release_does_not_use_are_swept(company: Company) -> None:
    company.write()
    (company.parts / ".0123.parquet.part").write_bytes(b"left by a killed run")
    company.warehouse.execute("delete from marts.history where as_of < '2026-03-01'")
    company.write()
    left = sorted(path.name for path in company.parts.iterdir() if path.suffix != ".parquet")
    assert left == ["index.json"]
    assert sorted(map(_month, company.parts.glob("*.parquet"))) == ALL_MONTHS[2:]


def test_hash_and_rows_do_not_depend_on_the_number_of_files(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_part = company.write()
    monkeypatch.setattr(parted, "PARTS_FROM_ROWS", 10 * ACCOUNTS)
    whole = company.write()
    assert (whole.rows, whole.sha256) == (by_part.rows, by_part.sha256)
    assert not list(company.parts.glob("*.parquet")), "a small mart keeps none"
    sql = "select * from read_parquet('{}')"
    assert (
        duckdb.sql(sql.format(whole.path)).fetchall()
        == duckdb.sql(sql.format(by_part.path)).fetchall()
    )


def test_hash_is_what_its_description_says(tmp_path: Path) -> None:
    """The same figure from plain Python, so that another engine can be held against it."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema marts; create table marts.history as from (values "
            "(date '2026-02-01', 'a', 1.5::decimal(9, 2)), (date '2026-01-01', 'b', null), "
            "(date '2026-01-01', 'a', 2::decimal(9, 2))) as t (as_of, account_key, revenue)"
        )
        written = write_marts(connection, marts=[HISTORY], folder=tmp_path)[0]
    ways = {"as_of": "date", "account_key": "text", "revenue": "decimal.2"}
    first, second = date(2026, 1, 1), date(2026, 2, 1)
    said = header_of(ways)
    for month, accounts in (
        (first, [("a", Decimal(2)), ("b", None)]),
        (second, [("a", Decimal("1.5"))]),
    ):
        columns = columns_hashed(ways, [(month, *account) for account in accounts])
        said += f"{month}|{len(accounts)}:{hashlib.sha256(columns).hexdigest()}\n".encode()
    assert written.sha256 == hashlib.sha256(said).hexdigest()


@pytest.mark.parametrize("threads", [1, 4])
def test_bytes_do_not_depend_on_threads(company: Company, threads: int) -> None:
    before = company.anew()
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=config) as other:
        other.execute(f"create schema marts; create table marts.history as {SELECTED}")
        other.execute(
            "create or replace table marts.history as from marts.history order by random()"
        )
        assert same(before, Company(other, company.folder / "other").write())


def test_rows_lie_in_key_order(company: Company) -> None:
    path = company.write().path
    rows = duckdb.sql(f"select as_of, account_key from read_parquet('{path}')").fetchall()
    assert len(rows) == 4 * ACCOUNTS
    assert rows == sorted(rows)


@pytest.mark.parametrize(
    "change",
    [
        "insert into marts.history from marts.history limit 1",
        "update marts.history set account_key = null where as_of = '2026-02-01' and is_new",
        "update marts.history set as_of = null where account_key = 'crm:accounts:7'",
        "alter table marts.history rename as_of to month",
        "drop table marts.history",
    ],
    ids=["twice", "null", "null part", "no part column", "no table"],
)
def test_bad_key_is_refused(company: Company, change: str) -> None:
    company.write()
    company.warehouse.execute(change)
    with pytest.raises(MartError, match=r"^mart history: "):
        company.write()


@pytest.mark.parametrize("parts_from_rows", [1, 10])
def test_mart_without_rows_is_written(
    company: Company, parts_from_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parted, "PARTS_FROM_ROWS", parts_from_rows)
    company.warehouse.execute("delete from marts.history")
    written = company.write()
    assert written.rows == 0
    header = (
        b"as_of|date\naccount_key|text\nrevenue|decimal.4\nshare|double\ntier|text\nis_new|whole\n"
    )
    assert written.sha256 == hashlib.sha256(header).hexdigest()
    assert duckdb.sql(f"select count(*) from read_parquet('{written.path}')").fetchone() == (0,)


def test_slices_name_their_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    columns = [("as_of", "DATE"), ("account_key", "VARCHAR")]
    warehouse.execute("update marts.history set as_of = null where as_of = '2026-01-01'")
    found = slices(warehouse, "marts.history", "as_of", columns)
    assert [one.value for one in found] == ["-", *ALL_MONTHS[1:]]
    for one in found:
        counted = f"select count(*) from marts.history where {one.condition}"
        assert warehouse.execute(counted).fetchone() == (one.rows,)


def written_file(path: Path, query: str, **options: str) -> Path:
    said = "".join(f", {name} {value}" for name, value in options.items())
    duckdb.execute(f"copy ({query}) to '{path}' (format parquet{said})")
    return path


def test_joined_files_read_as_one_by_every_reader(tmp_path: Path) -> None:
    """Several row groups, dictionaries with bloom filters, nulls; written by DuckDB and pyarrow."""
    texts = "'t' || (i % 50) as tier, case when i % 4 > 0 then i::double end as number"
    sources = [
        written_file(
            tmp_path / f"{first}.parquet",
            f"select i as id, {texts}, [i, i + 1] as list from range({first}, {first + 5000}) t (i)",
            row_group_size="2048",
            compression="zstd",
        )
        for first in (0, 5000, 10000)
    ]
    target = tmp_path / "joined.parquet"
    join_parquet(sources, target)
    expected = pyarrow.concat_tables([pyarrow.parquet.read_table(path) for path in sources])
    assert pyarrow.parquet.read_table(target).equals(expected)
    assert pyarrow.parquet.ParquetFile(target).metadata.num_row_groups == 9
    read = duckdb.sql(f"select * from read_parquet('{target}') order by id").fetchall()
    assert len(read) == 15_000
    assert read == duckdb.sql(f"select * from read_parquet({list(map(str, sources))})").fetchall()
    found = duckdb.sql(f"select count(*), sum(id) from read_parquet('{target}') where tier = 't7'")
    assert found.fetchone() == (300, sum(range(7, 15_000, 50)))
    other = tmp_path / "other.parquet"
    pyarrow.parquet.write_table(
        expected, other, write_page_index=True, row_group_size=4000, store_schema=False
    )
    join_parquet([other, other], target)
    assert pyarrow.parquet.read_table(target).equals(pyarrow.concat_tables([expected, expected]))


def test_files_of_other_columns_or_none_are_not_joined(tmp_path: Path) -> None:
    one = written_file(tmp_path / "one.parquet", "select 1 as a")
    other = written_file(tmp_path / "other.parquet", "select 1 as b")
    with pytest.raises(JoinError, match=r"other\.parquet: its columns are not those of"):
        join_parquet([one, other], tmp_path / "joined.parquet")
    other.write_bytes(one.read_bytes()[:-1])
    with pytest.raises(JoinError, match=r"other\.parquet: not a whole Parquet file"):
        join_parquet([one, other], tmp_path / "joined.parquet")


class Databases:
    """Writes the marts of a company as databases, each from the one before."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.last: Path | None = None

    def write(self, *, previous: Path | None = None) -> Path:
        written = self.company.write()
        target = written.path.with_name("marts.duckdb")
        write_database(
            marts=[HISTORY],
            folder=written.path.parent,
            target=target,
            like=self.company.warehouse,
            previous=previous or self.last,
            parts={written.name: written.slices},
        )
        self.last = target
        assert [path.name for path in target.parent.glob("marts.duckdb*")] == [target.name]
        assert contents(target) == duckdb.sql(f"from read_parquet('{written.path}')").fetchall()
        return target


@pytest.fixture
def databases(company: Company) -> Databases:
    return Databases(company)


def contents(database: Path) -> list[tuple[object, ...]]:
    """All rows as they lie in the table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("from history").fetchall()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, list[str]]]:
    """What each database was found to lack; empty where all was written anew."""
    calls: list[dict[str, list[str]]] = []

    def spied(*args: Any, **kwargs: Any) -> dict[str, list[Slice]]:
        absent = keep_tables(*args, **kwargs)
        calls.append({name: [one.value for one in found] for name, found in absent.items()})
        return absent

    monkeypatch.setattr(database, "keep_tables", spied)
    return calls


@pytest.mark.parametrize(
    ("change", "appended"),
    [
        ("select 1", []),
        ("update marts.history set revenue = 1 where as_of = '2026-04-01'", ALL_MONTHS[3:]),
        ("update marts.history set revenue = 1 where as_of = '2026-03-01'", ALL_MONTHS[2:]),
        ("delete from marts.history where as_of = '2026-01-01'", []),
        ("delete from marts.history where as_of = '2026-02-01'", ALL_MONTHS[2:]),
        ("update marts.history set as_of = as_of + 200 where as_of = '2026-01-01'", ["2026-07-20"]),
        ("alter table marts.history alter revenue type decimal(16, 4)", None),
        ("alter table marts.history rename is_new to is_fresh", None),
        ("update marts.history set revenue = 1 where as_of = '2026-01-01'", None),
    ],
    ids=["nothing", "last", "middle", "oldest gone", "hole", "next", "type", "name", "first"],
)
def test_database_takes_over_what_did_not_change(
    databases: Databases,
    kept: list[dict[str, list[str]]],
    change: str,
    appended: list[str] | None,
) -> None:
    databases.write()
    databases.company.warehouse.execute(change)
    databases.write()
    assert kept == [{} if appended is None else {"history": appended}]


def test_file_of_the_database_does_not_grow_with_each_release(databases: Databases) -> None:
    sizes = []
    for revenue in range(12):
        databases.company.warehouse.execute(
            f"update marts.history set revenue = {revenue} where as_of = '2026-04-01'"
        )
        sizes.append(databases.write().stat().st_size)
    assert max(sizes[4:]) <= max(sizes[:4])


def test_database_that_somebody_changed_is_written_anew(
    databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    for change in (
        "update history set revenue = -7 where as_of = '2026-02-01'",
        "create table mine as select 1",
        "create view mine as select 1",
    ):
        path = databases.write()
        with duckdb.connect(str(path)) as connection:
            connection.execute(change)
        databases.write()
    assert "it holds mine, which no release has" in caplog.text


@pytest.mark.parametrize("damage", ["absent", "cut", "header", "changed"])
def test_damaged_database_is_written_anew(databases: Databases, damage: str) -> None:
    path = databases.write()
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "header":
        path.write_bytes(b"no database" + content[11:])
    else:
        # A byte of every block: which of them holds rows is the engine's affair.
        changed = bytearray(content)
        for at in range(20_000, len(changed), 262_144):
            changed[at] ^= 1
        path.write_bytes(changed)
    databases.write()
