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

from dagster_project.lib.audiences.destinations import AudienceError, Destination, Kind

QUOTING: dict[str, Literal[0, 1]] = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}
LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
PRIVATE = 0o600

Row = Sequence[object]


@dataclass(frozen=True)
class WrittenFile:
    """One file; `rows` are its members: neither the header line nor leading rows."""

    path: Path
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class _Form:
    """How the rows of one kind of file of an audience are written."""

    destination: Destination
    audience: str
    kind: Kind

    def header(self) -> bytes:
        """The header line, with a byte-order mark where the destination wants one."""
        encoding = self.destination.encoding
        return b"".join(self._encoded([self.destination.header], encoding))

    def leading(self, part: int) -> bytes:
        """The rows before the members."""
        action = self.destination.action(self.kind, part)
        rows = [[self._said(cell, action) for cell in row] for row in self.destination.leading_rows]
        return b"".join(self._encoded(rows))

    def members(self, rows: Iterable[Row], part: int) -> Iterator[bytes]:
        """The lines of the members, one by one."""
        action = self.destination.action(self.kind, part)
        filled = self.destination.filled
        if not filled:
            return self._encoded(rows)
        # Each cell of the header: a text that is the same in all rows, or a place in the row.
        places = iter(range(len(self.destination.columns)))
        cells = [
            self._said(filled[name], action) if name in filled else next(places)
            for name in self.destination.header
        ]
        return self._encoded(
            [row[cell] if isinstance(cell, int) else cell for cell in cells] for row in rows
        )

    def longest_part(self) -> int:
        """A part whose word for the action is the longest, to measure with."""
        return max((1, 2), key=lambda part: len(self.destination.action(self.kind, part)))

    def _said(self, cell: str, action: str) -> str:
        list_id = self.destination.list_id(self.audience) or self.destination.new_list or ""
        said = cell.replace("{audience}", self.audience).replace("{list}", list_id)
        return said.replace("{action}", action)

    def _encoded(self, rows: Iterable[Row], encoding: str = "utf-8") -> Iterator[bytes]:
        buffer = io.StringIO(newline="")
        writer = csv.writer(
            buffer,
            delimiter=self.destination.delimiter,
            quoting=QUOTING[self.destination.quoting],
            lineterminator=LINE_ENDS[self.destination.line_end],
        )
        for row in rows:
            writer.writerow(row)
            yield buffer.getvalue().encode(encoding)
            buffer.seek(0)
            buffer.truncate()


def write_csv(
    rows: Callable[[], Iterable[Row]],
    *,
    destination: Destination,
    folder: Path,
    name: str,
    audience: str = "",
    kind: Kind = "full",
) -> list[WrittenFile]:
    """Writes `<name>.csv`, or `<name>_1.csv`, `<name>_2.csv`, ... of about equal length.

    Args:
        rows: gives the rows anew at each call, in the same order, with the destination's
            `columns`; null is an empty cell.
        destination: its header, form and limits.
        folder: made if it is not there.
        name: of the file, without ending.
        audience: what the destination calls the list, for its cells {audience}.
        kind: what the file does, for its cells {action}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    form = _Form(destination, audience, kind)
    count, per_part = _parts(rows, form)
    if destination.list_id(audience) is None and (count > 1 or kind != "full"):
        raise AudienceError(
            f"destination {destination.name}: the Id of the list {audience} is not known; write it "
            f"into kam.yml as list_ids: {{{destination.name}: {{{audience}: ...}}}}"
        )
    names = [f"{name}_{number}" for number in range(1, count + 1)] if count > 1 else [name]
    members = iter(rows())
    return [
        _write(folder / f"{part_name}.csv", form, part, _taken(members, per_part))
        for part, part_name in enumerate(names, start=1)
    ]


def _parts(rows: Callable[[], Iterable[Row]], form: _Form) -> tuple[int, int | None]:
    """Number of parts and rows of each; None = all, for a destination without limits."""
    destination = form.destination
    if destination.maximum_rows is None and destination.maximum_bytes is None:
        return 1, None
    part = form.longest_part()
    total = longest = size = 0
    for line in form.members(rows(), part):
        total += 1
        size += len(line)
        longest = max(longest, len(line))
    count = math.ceil(total / destination.maximum_rows) if destination.maximum_rows else 1
    if destination.maximum_bytes is not None:
        room = destination.maximum_bytes - len(form.header()) - len(form.leading(part))
        if longest > room:
            raise AudienceError(
                f"destination {destination.name}: a row of {longest} bytes does not fit its limit "
                f"of {destination.maximum_bytes}; shorten the longest field"
            )
        if size > room:
            # Rows differ in length: only if each were as long as the longest is a part sure to fit.
            count = max(count, math.ceil(total / (room // longest)))
    count = max(1, count)
    return count, max(1, math.ceil(total / count))


def _write(path: Path, form: _Form, part: int, rows: Iterable[Row]) -> WrittenFile:
    digest, count, size = hashlib.sha256(), 0, 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, PRIVATE)

        def put(content: bytes) -> int:
            stream.write(content)
            digest.update(content)
            return len(content)

        size += put(form.header())
        for line in form.members(rows, part):
            if count == 0:
                size += put(form.leading(part))
            size += put(line)
            count += 1
    return WrittenFile(path, count, size, digest.hexdigest())


def _taken(rows: Iterator[Row], count: int | None) -> Iterator[Row]:
    """The next rows, so many of them."""
    taken = 0
    while count is None or taken < count:
        row = next(rows, None)
        if row is None:
            return
        yield row
        taken += 1
