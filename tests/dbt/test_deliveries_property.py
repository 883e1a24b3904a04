"""Any sequence of deliveries: landed, staged by the compiled models, and held against a plain-Python account of it.

dbt compiles the models once. Each example writes files that are late, out of order, repeated, corrected,
moved to another month, deleted, full or empty; they are landed by the reader and staged in an in-memory DuckDB.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.landing import land_everything
from dagster_project.lib.warehouse import raw_zone
from dagster_project.settings import Settings
from tests.dbt.compiled import compiled_nodes

CHECK = "assert_rows_in_are_loaded_superseded_or_rejected"
LINES, ACCOUNTS = "invoice_lines", "accounts"
DAYS = tuple(dt.date(2025, month, 15) for month in (1, 2, 3))
HEADERS = {
    LINES: "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency",
    ACCOUNTS: "account_id,account_name,updated_at,is_deleted",
}
Text = tuple[str, ...]
# of a file: rows read, loaded, superseded, rejected
Counts = tuple[int, int, int, int]


@dataclass(frozen=True)
class Row:
    """One line of a file; `is_bad` makes its amount or its deletion unreadable."""

    key: int
    value: int
    when: int | None
    is_deleted: bool
    is_bad: bool

    def day(self) -> dt.date:
        """The date of an invoice line."""
        return DAYS[self.when or 0]


@dataclass(frozen=True)
class File:
    """A delivered file; `extract` is empty for a delta."""

    entity: str
    extract: str
    rows: tuple[Row, ...]

    def content(self) -> str:
        """Its bytes as a system writes them."""
        lines = [HEADERS[self.entity]]
        for row in self.rows:
            when = "" if row.when is None else DAYS[row.when].isoformat()
            if self.entity == LINES:
                amount = "many" if row.is_bad else row.value
                lines.append(f"I{row.key},1,C1,{when or DAYS[0]},invoice,{amount},EUR")
            else:
                is_deleted = "perhaps" if row.is_bad else str(row.is_deleted).lower()
                stamp = when and f"{when}T00:00:00"
                lines.append(f"A{row.key},Name {row.value},{stamp},{is_deleted}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Staged:
    """What the models make of the files, in the order of delivery."""

    lines: set[Text]
    accounts: set[Text]
    counts: list[Counts]
    breaches: list[Any]
    months: dict[int, int]


def name_of(position: int, file: File) -> str:
    """Files of both entities in one order of delivery."""
    return f"sys/{file.entity}_{position:02}.csv"


def counted(files: list[File]) -> list[int]:
    """Positions of the files that count: not replaced, and the first of their bytes."""
    kept: list[int] = []
    for entity in (LINES, ACCOUNTS):
        own = [position for position, file in enumerate(files) if file.entity == entity]
        extracts = [files[position].extract for position in own]
        latest = max(extracts, default="")
        start = own[extracts.index(latest)] if latest else -1
        seen: set[str] = set()
        for position in own:
            file = files[position]
            if file.extract == latest or (not file.extract and position > start):
                if file.content() not in seen:
                    kept.append(position)
                seen.add(file.content())
    return kept


def expected(files: list[File]) -> Staged:
    """The current rows and the counts, row by row."""
    current: dict[tuple[str, int], tuple[tuple[str, int, int], int, Row]] = {}
    for position in sorted(counted(files)):
        file = files[position]
        for number, row in enumerate(file.rows):
            if row.is_bad:
                continue
            stamp = "" if file.entity == LINES or row.when is None else DAYS[row.when].isoformat()
            rank = (stamp, position, number)
            known = current.get((file.entity, row.key))
            if known is None or rank > known[0]:
                current[file.entity, row.key] = (rank, position, row)
    loaded = Counter(position for _, position, _ in current.values())
    counts = []
    for position, file in enumerate(files):
        rejected = sum(row.is_bad for row in file.rows)
        superseded = len(file.rows) - rejected - loaded[position]
        counts.append((len(file.rows), loaded[position], superseded, rejected))
    lines = {
        (f"I{key}", row.day().isoformat(), str(Decimal(row.value).quantize(Decimal("1.0000"))))
        for (entity, key), (_, _, row) in current.items()
        if entity == LINES
    }
    accounts = {
        (f"A{key}", f"Name {row.value}", str(row.is_deleted).lower())
        for (entity, key), (_, _, row) in current.items()
        if entity == ACCOUNTS
    }
    return Staged(lines, accounts, counts, [], delivered_months(files))


def delivered_months(files: list[File]) -> dict[int, int]:
    """Accepted lines of the files that count, replaced ones too, by year * 12 + month."""
    days = [
        row.day()
        for position in counted(files)
        for row in files[position].rows
        if files[position].entity == LINES and not row.is_bad
    ]
    return dict(Counter(day.year * 12 + day.month for day in days))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[File]], Staged]]:
    """The reader, the raw schema and the compiled models as a function."""
    folder = tmp_path_factory.mktemp("deliveries")
    sql = compiled_nodes(tmp_path_factory, "models/staging/", "int_deliveries_counted", CHECK)
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(":memory:") as connection:
        patch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)
        company = Settings(landing=folder / "landing", out=folder / "out", threads=1)
        identifiers = folder / "identifiers.parquet"
        connection.execute(
            "copy (select '' as kind, '' as raw_value, '' as country_code, '' as normalised, "
            f"true as is_valid, '' as problem limit 0) to '{identifiers}' (format parquet)"
        )
        # what lies behind staging: no line lacks a rate, and months are counted from the staged lines
        connection.execute(
            "create table int_invoice_lines_unconvertible (delivery_id bigint)",
        )
        state = {"made": False}

        def run(files: list[File]) -> Staged:
            write_raw(connection, company, files, identifiers)
            if not state["made"]:
                make_views(connection, sql)
                state["made"] = True
            return staged(connection, sql)

        yield run


def write_raw(
    connection: duckdb.DuckDBPyConnection, company: Settings, files: list[File], identifiers: Path
) -> None:
    """Lands the files and says of which full extract each is a part, as their profile would."""
    shutil.rmtree(company.landing, ignore_errors=True)
    extracts = {}
    for position, file in enumerate(files):
        path = company.landing / name_of(position, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content(), encoding="utf-8")
        extracts[name_of(position, file)] = file.extract
    report = land_everything(company, scratch=company.out / "scratch")
    assert [f.file for f in report.files] == sorted(extracts)
    entries: list[tuple[str, LedgerEntry]] = [
        (landed.file, landed.entry.model_copy(update={"extract": extracts[landed.file]}))
        for landed in report.files
    ]
    raw_zone.create_raw_schema(
        connection,
        raw=company.raw,
        deliveries=raw_zone.ordered_deliveries(entries),
        identifiers=identifiers,
        live=None,
    )


def make_views(connection: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> None:
    """The models as views; those of the policy's tables are not asked."""
    made: set[str] = set()
    waiting = {name: text for name, text in sql.items() if name != CHECK}
    for _ in range(len(waiting)):
        for name, text in list(waiting.items()):
            if name in made:
                continue
            try:
                connection.execute(f"create view {name} as {text}")
            except duckdb.CatalogException:
                continue
            made.add(name)
            if name == "stg_erp__invoice_lines":
                connection.execute(
                    "create view int_delivery_months_counted as select delivery_id, "
                    "count(*) as line_count from stg_erp__invoice_lines group by delivery_id"
                )
    assert {"int_deliveries_counted", "stg_erp__invoice_lines", "stg_crm__accounts"} <= made


def staged(connection: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> Staged:
    """What the models say."""
    lines = connection.execute(
        "select invoice_id, invoice_date::varchar, net_amount::varchar from stg_erp__invoice_lines"
    ).fetchall()
    accounts = connection.execute(
        "select account_id, account_name, is_deleted::varchar from stg_crm__accounts"
    ).fetchall()
    counts = connection.execute(
        "select rows_read, rows_loaded, rows_superseded, rows_rejected "
        "from int_deliveries_counted order by substring(source_file, -6)"
    ).fetchall()
    months = connection.execute(
        "select month_index, sum(line_count)::bigint from stg_run__delivery_months "
        "group by month_index"
    ).fetchall()
    assert len(lines) == len(set(lines))
    assert len(accounts) == len(set(accounts))
    return Staged(
        set(lines),
        set(accounts),
        [tuple(row) for row in counts],  # type: ignore[misc]
        connection.execute(sql[CHECK]).fetchall(),
        dict(months),
    )


@st.composite
def sequences(draw: st.DrawFn) -> list[File]:
    """Files in the order of delivery; some repeat the bytes of an earlier one."""
    row = st.builds(
        Row,
        key=st.integers(1, 4),
        value=st.integers(1, 3),
        when=st.none() | st.integers(0, len(DAYS) - 1),
        is_deleted=st.booleans(),
        is_bad=st.integers(0, 7).map(lambda drawn: drawn == 0),
    )
    file = st.builds(
        File,
        entity=st.sampled_from([LINES, ACCOUNTS]),
        extract=st.sampled_from(["", "", "2025-01", "2025-02", "2025-03"]),
        rows=st.lists(row, max_size=5).map(tuple),
    )
    files = draw(st.lists(file, min_size=1, max_size=5))
    for original in draw(st.lists(st.sampled_from(files), max_size=2)):
        extract = draw(st.sampled_from([original.extract, "2025-03"]))
        files.insert(
            draw(st.integers(0, len(files))), File(original.entity, extract, original.rows)
        )
    return files


@settings(max_examples=60, deadline=None)
@given(files=sequences())
def test_current_rows_and_counts_are_those_of_the_sequence(
    stage: Callable[[list[File]], Staged], files: list[File]
) -> None:
    found = stage(files)
    for read, loaded, superseded, rejected in found.counts:
        assert read == loaded + superseded + rejected
    assert found == expected(files)


LINE = Row(key=1, value=1, when=0, is_deleted=False, is_bad=False)


@pytest.mark.parametrize(
    ("files", "lines", "counts"),
    [
        pytest.param(
            [File(LINES, "", (LINE,)), File(LINES, "", (Row(1, 1, 2, False, False),))],
            {("I1", "2025-03-15", "1.0000")},
            [(1, 0, 1, 0), (1, 1, 0, 0)],
            id="a date that moved leaves the old month",
        ),
        pytest.param(
            [File(LINES, "a", (LINE, Row(2, 2, 1, False, False))), File(LINES, "b", (LINE,))],
            {("I1", "2025-01-15", "1.0000")},
            [(2, 0, 2, 0), (1, 1, 0, 0)],
            id="what a full extract lacks is gone",
        ),
        pytest.param(
            [File(LINES, "a", (LINE,)), File(LINES, "b", ()), File(LINES, "c", (LINE,))],
            {("I1", "2025-01-15", "1.0000")},
            [(1, 0, 1, 0), (0, 0, 0, 0), (1, 1, 0, 0)],
            id="the bytes of a replaced extract come again",
        ),
        pytest.param(
            [File(LINES, "a", (LINE,)), File(LINES, "b", ())],
            set(),
            [(1, 0, 1, 0), (0, 0, 0, 0)],
            id="an empty full extract empties, for the gate to stop",
        ),
    ],
)
def test_worked_out_by_hand(
    stage: Callable[[list[File]], Staged],
    files: list[File],
    lines: set[Text],
    counts: list[Counts],
) -> None:
    found = stage(files)
    assert found.lines == lines
    assert found.counts == counts
    assert found == expected(files)
