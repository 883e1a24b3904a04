"""What the checkers share: a CSV file read strictly, and forms of single cells.

The checkers know the destinations' public rules and nothing of the project: they import none of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHA256 = re.compile(r"[0-9a-f]{64}")
COUNTRY = re.compile(r"[A-Za-z]{2}")
DOMAIN = re.compile(r"(?!www\.)[^\s/:@?#]+\.[^\s/:@?#.]{2,}")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
# SHA-256 of no text at all: a hash that thousands of people would share.
HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass
class Table:
    """A file's header and rows, and what is wrong with its form."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[str]:
        """The cells of a column; none where there is no such column."""
        if name not in self.header:
            return []
        place = self.header.index(name)
        return [row[place] for row in self.rows]

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its number; the header is line 1."""
        for number, row in enumerate(self.rows, start=2):
            yield number, dict(zip(self.header, row, strict=True))


def read(path: Path, *, line_ends: Sequence[str] = ("\r\n",)) -> Table:
    """A comma-separated file in UTF-8 without byte-order mark; rows of another length are left out."""
    found = Table()
    content = path.read_bytes()
    if content.startswith(BYTE_ORDER_MARK):
        found.problems.append("begins with a byte-order mark")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found.problems.append(f"is not UTF-8: {error.reason} at byte {error.start}")
        return found
    if "\x00" in text:
        found.problems.append("holds a NUL character")
    if text and not text.endswith(tuple(line_ends)):
        found.problems.append("does not end with a line end of its form")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        found.problems.append(f"is not CSV: {error}")
        return found
    if not rows:
        found.problems.append("is empty: not even a header")
        return found
    found.header = rows[0]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) == len(found.header):
            found.rows.append(row)
        else:
            found.problems.append(f"line {number} has {len(row)} cells")
    return found


def header_is(table: Table, *headers: Sequence[str]) -> list[str]:
    """The header is one of those, in order and letters."""
    if any(table.header == list(header) for header in headers):
        return []
    return [f"header is {','.join(table.header)}"]


def at_most(path: Path, table: Table, *, rows: int | None = None, size: int | None = None) -> list[str]:
    """Neither too many rows nor too many bytes."""
    problems = []
    if rows is not None and len(table.rows) > rows:
        problems.append(f"{len(table.rows)} rows, more than {rows}")
    if size is not None and path.stat().st_size > size:
        problems.append(f"{path.stat().st_size} bytes, more than {size}")
    return problems


def at_least(count: int, minimum: int, kind: str) -> list[str]:
    """A whole list is long enough to be used; files of differences may be of any length."""
    return [f"{count} rows, fewer than {minimum}"] if kind == "full" and count < minimum else []


def filled(table: Table, columns: Iterable[str]) -> list[str]:
    """No cell of the columns is empty or blank."""
    return [
        f"{name}: {empty} empty cells"
        for name in columns
        if (empty := sum(not cell.strip() for cell in table.column(name)))
    ]


def unique(table: Table, column: str) -> list[str]:
    """No value of the column stands twice, in whatever letters."""
    counted = Counter(cell.casefold() for cell in table.column(column) if cell)
    repeated = sum(count > 1 for count in counted.values())
    return [f"{column}: {repeated} values more than once"] if repeated else []


def rows_once(table: Table) -> list[str]:
    """No row stands twice."""
    repeated = len(table.rows) - len({tuple(row) for row in table.rows})
    return [f"{repeated} rows stand there before"] if repeated else []


def matching(table: Table, column: str, form: re.Pattern[str]) -> list[str]:
    """Each cell is empty or of the form."""
    wrong = sum(bool(cell) and not form.fullmatch(cell) for cell in table.column(column))
    return [f"{column}: {wrong} cells of another form"] if wrong else []


def hashed(table: Table, columns: Iterable[str]) -> list[str]:
    """Each cell is empty or a SHA-256 of something, in lower-case hexadecimal digits."""
    problems = []
    for name in columns:
        problems += matching(table, name, SHA256)
        if HASH_OF_NOTHING in table.column(name):
            problems.append(f"{name}: the hash of an empty text")
    return problems


def trimmed(table: Table) -> list[str]:
    """No cell begins or ends with a blank."""
    wrong = sum(cell != cell.strip() for row in table.rows for cell in row)
    return [f"{wrong} cells begin or end with a blank"] if wrong else []
