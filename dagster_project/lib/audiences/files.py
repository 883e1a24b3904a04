"""Writes rows as CSV files of a destination, split where it takes no more in one file.

The standard library's csv writes the rows (RFC 4180); it knows neither sizes nor private files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dagster_project.lib.audiences.destinations import AudienceError, Destination

QUOTING: dict[str, Literal[0, 1]] = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}
PRIVATE = 0o600

Row = Sequence[object]


@dataclass(frozen=True)
class WrittenFile:
    """One file; `rows` without the header line."""

    path: Path
    rows: int
    size: int
    sha256: str


def write_csv(
    rows: Callable[[], Iterable[Row]], *, destination: Destination, folder: Path, name: str
) -> list[WrittenFile]:
    """Writes `<name>.csv`, or `<name>_1.csv`, `<name>_2.csv`, ... of about equal length.

    Args:
        rows: gives the rows anew at each call, in the same order; null is an empty cell.
        destination: its header, form and limits.
        folder: made if it is not there.
        name: of the file, without ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header = _encoded([destination.header], destination, is_first=True)
    parts = _part_count(rows, destination, len(next(header)))
    lines = _encoded(rows(), destination)
    if parts is None:
        return [_write(folder / f"{name}.csv", destination, lines)]
    count, per_part = parts
    names = [f"{name}_{number}" for number in range(1, count + 1)] if count > 1 else [name]
    return [_write(folder / f"{part}.csv", destination, _taken(lines, per_part)) for part in names]


def _part_count(
    rows: Callable[[], Iterable[Row]], destination: Destination, header: int
) -> tuple[int, int] | None:
    """Number of parts and rows of each; None for a destination that takes files of any size."""
    if destination.maximum_rows is None and destination.maximum_bytes is None:
        return None
    total = longest = size = 0
    for line in _encoded(rows(), destination):
        total += 1
        size += len(line)
        longest = max(longest, len(line))
    count = math.ceil(total / destination.maximum_rows) if destination.maximum_rows else 1
    if destination.maximum_bytes is not None:
        room = destination.maximum_bytes - header
        if longest > room:
            raise AudienceError(
                f"destination {destination.name}: a row of {longest} bytes does not fit its limit "
                f"of {destination.maximum_bytes}; shorten the longest field"
            )
        if header + size > destination.maximum_bytes:
            # Rows differ in length: only if each were as long as the longest is a part sure to fit.
            count = max(count, math.ceil(total / (room // longest)))
    count = max(1, count)
    return count, max(1, math.ceil(total / count))


def _write(path: Path, destination: Destination, lines: Iterable[bytes]) -> WrittenFile:
    digest, rows, size = hashlib.sha256(), -1, 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, PRIVATE)
        for chunk in (_encoded([destination.header], destination, is_first=True), lines):
            for line in chunk:
                stream.write(line)
                digest.update(line)
                size += len(line)
                rows += 1
    return WrittenFile(path, rows, size, digest.hexdigest())


def _encoded(
    rows: Iterable[Row], destination: Destination, *, is_first: bool = False
) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        delimiter=destination.delimiter,
        quoting=QUOTING[destination.quoting],
        lineterminator="\r\n",
    )
    # A byte-order mark stands once, before the header.
    encoding = destination.encoding if is_first else destination.encoding.removesuffix("-sig")
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue().encode(encoding)
        buffer.seek(0)
        buffer.truncate()


def _taken(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        line = next(lines, None)
        if line is None:
            return
        yield line
