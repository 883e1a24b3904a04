"""A landing folder to write into, and one call that lands what was written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.extracts.connection import Database
from dagster_project.lib.extracts.discover import find_deliveries
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.land import Means, land
from dagster_project.lib.extracts.ledger import LedgerEntry


@dataclass(frozen=True)
class Landed:
    """One landed file: its ledger entry, its rows and its rejected rows."""

    entry: LedgerEntry
    raw: Path

    @property
    def path(self) -> Path:
        return self.raw / self.entry.entity / self.entry.landed

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        wanted = ", ".join(columns) or "*"
        return duckdb.execute(f"select {wanted} from read_parquet('{self.path}')").fetchall()

    def lines(self) -> list[int]:
        """Physical line of each row, as the contract says it is to be found."""
        sql = (
            "select coalesce(line_number, file_row_number + line_offset)"
            f" from read_parquet('{self.path}', file_row_number = true)"
        )
        return [row[0] for row in duckdb.execute(sql).fetchall()]

    def rejected(self) -> list[tuple[Any, ...]]:
        """(line, column, raw value, rule, raw line) of each rejected row."""
        if self.entry.rejected is None:
            return []
        path = self.raw / "rejected" / self.entry.rejected
        sql = (
            "select line_number, column_name, raw_value, rule, raw_line"
            f" from read_parquet('{path}') order by line_number"
        )
        return duckdb.execute(sql).fetchall()


class LandingFolder:
    """Writes extracts and lands them one by one."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.raw = folder / "raw"
        self.scratch = folder / "scratch"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, name: str, content: str | bytes | None = None) -> Landed:
        if content is not None:
            self.write(name, content)
        files = find_deliveries(self.landing, profiles={}).files
        delivered = next(file for file in files if file.relative_path == name)
        with closing(Database(self.scratch, memory_limit="500MB", threads=2)) as database:
            entry = land(delivered, Means(raw=self.raw, scratch=self.scratch, database=database))
        landed = Landed(entry, self.raw)
        assert entry.rows_read == entry.rows_loaded + entry.rows_rejected
        assert landed.rows("count(*)") == [(entry.rows_loaded,)]
        assert len(landed.rejected()) == entry.rows_rejected
        assert sum(entry.rejected_reasons.values()) == entry.rows_rejected
        return landed


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are fresh; waiting for each of them would take half a second."""
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> LandingFolder:
    return LandingFolder(tmp_path)


@pytest.fixture(scope="session")
def fresh_folder() -> Callable[[str], LandingFolder]:
    """Makes a landing folder under a path: property tests need one per example."""
    return lambda path: LandingFolder(Path(path))


@pytest.fixture
def schema_of() -> Callable[[str], list[tuple[str, str]]]:
    """(column, type) of an entity's raw files, as the contract says."""

    def of(entity: str) -> list[tuple[str, str]]:
        columns = load_entities()[entity].columns.values()
        return [(column.name, column.duckdb_type) for column in columns] + [
            ("extra_columns", "VARCHAR"),
            ("source_system", "VARCHAR"),
            ("delivery_id", "BIGINT"),
            ("line_number", "BIGINT"),
            ("line_offset", "INTEGER"),
        ]

    return of
