"""Writes extracts as a source system does, bad lines included, and counts what each holds.

The csv module writes good rows; bad ones are bytes, which no CSV writer would produce.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lib.demo.book import Row
from dagster_project.lib.demo.faults import Fault


@dataclass(frozen=True)
class PlantedFault:
    """A bad line and where it lies; the header is line 1."""

    file: str
    line_number: int
    rule: str
    column_name: str | None
    raw_value: str


@dataclass(frozen=True)
class FileTruth:
    """What becomes of the rows of one file: read = loaded + superseded + rejected."""

    rows_read: int
    rows_loaded: int
    rows_superseded: int
    rows_rejected: int
    rejected_by_rule: dict[str, int]


@dataclass
class LandingFolder:
    """The landing folder while it is filled; ``rng`` decides where the bad lines lie."""

    root: Path
    rng: np.random.Generator
    files: dict[str, FileTruth] = field(default_factory=dict)
    faults: list[PlantedFault] = field(default_factory=list)

    def write_csv(
        self,
        name: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        faults: Sequence[Fault] = (),
        superseded: int = 0,
        unconvertible: int = 0,
    ) -> None:
        """Write a CSV file, gzipped where the name says so.

        Args:
            name: path below the landing folder.
            columns: header.
            rows: good rows, in the order of the columns.
            faults: bad lines, laid at random places; one that ``is_last`` ends the file without a
                line break.
            superseded: how many of the rows lose to another version of their key.
            unconvertible: how many of the rows have no exchange rate: rejected by the warehouse,
                not by the reader.
        """
        lines = _lines_of([columns, *rows])
        inner = [fault for fault in faults if not fault.is_last]
        for fault in inner:
            lines.insert(int(self.rng.integers(1, len(lines))), fault.line + b"\n")
        lines += [fault.line for fault in faults if fault.is_last]
        content = b"".join(lines)
        if name.endswith(".gz"):
            content = gzip.compress(content, compresslevel=6, mtime=0)
        self._put(name, content)
        self._note_faults(name, lines, faults)
        by_rule = Counter(fault.rule for fault in faults)
        if unconvertible:
            by_rule["no_exchange_rate"] += unconvertible
        rejected = by_rule.total()
        read = len(rows) + len(faults)
        self.files[name] = FileTruth(
            rows_read=read,
            rows_loaded=read - superseded - rejected,
            rows_superseded=superseded,
            rows_rejected=rejected,
            rejected_by_rule=dict(sorted(by_rule.items())),
        )

    def write_rows(
        self,
        name: str,
        rows: Sequence[Row],
        *,
        columns: Sequence[str] = (),
        faults: Sequence[Fault] = (),
        superseded: int = 0,
    ) -> None:
        """Write rows by column name (by default the first row's), empty where a row lacks one."""
        header = columns or list(rows[0])
        values = [[row.get(column, "") for column in header] for row in rows]
        self.write_csv(name, header, values, faults=faults, superseded=superseded)

    def write_copy(self, name: str, original: str) -> None:
        """Deliver a file's bytes a second time: nothing of it is loaded."""
        self._put(name, (self.root / original).read_bytes())
        truth = self.files[original]
        self.files[name] = FileTruth(truth.rows_read, 0, truth.rows_read, 0, {})

    def write_rates(
        self, name: str, days: list[date], quotes: dict[tuple[str, str], list[int]]
    ) -> None:
        """Write rates (ten-thousandths) as typed Parquet; the franc is quoted per 100."""
        columns: dict[str, list[Any]] = {
            c: [] for c in ("rate_date", "from_currency", "to_currency", "rate", "units")
        }
        for position, day in enumerate(days):
            for (source, target), values in quotes.items():
                row = (
                    day,
                    source,
                    target,
                    Decimal(values[position]).scaleb(-4),
                    100 if source == "CHF" else None,
                )
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(value)
        types = [
            pa.date32(),
            pa.string(),
            pa.string(),
            pa.decimal128(19, 10),
            pa.int32(),
        ]
        arrays = [
            pa.array(values, type=kind)
            for values, kind in zip(columns.values(), types, strict=True)
        ]
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays, names=list(columns)), path)
        count = len(arrays[0])
        self.files[name] = FileTruth(count, count, 0, 0, {})

    def _put(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _note_faults(self, name: str, lines: list[bytes], faults: Sequence[Fault]) -> None:
        numbers = {line.rstrip(b"\n"): number for number, line in enumerate(lines, start=1)}
        for fault in faults:
            number = numbers[fault.line]
            self.faults.append(
                PlantedFault(name, number, fault.rule, fault.column, fault.raw_value)
            )


def _lines_of(rows: Sequence[Sequence[str]]) -> list[bytes]:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode().splitlines(keepends=True)
