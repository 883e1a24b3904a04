"""Records of a CSV file that is not clean, one by one, in bounded memory.

No library serves: csv.reader and DuckDB let an opening quote that never closes swallow the rest of
the file, and DuckDB's store_rejects checks only the columns that a query uses.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from dagster_project.lib.extracts.limits import CHUNK_BYTES, MAX_FIELD_CHARACTERS, MAX_LINE_BYTES

UTF8_BOM = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """One record, or one rejected line.

    Attributes:
        line: physical line on which the record begins, from 1.
        raw: the line's bytes without its end; of a record of several lines, the first.
        fields: the parsed fields, or None where the raw line can be taken as it is or is rejected.
        rule: why the line is rejected, or None.
        is_multiline: a quoted field holds a line break.
    """

    line: int
    raw: bytes
    fields: list[str] | None = None
    rule: str | None = None
    is_multiline: bool = False


class PlainRun(NamedTuple):
    """Lines that are records as they stand: right in number of fields, ASCII, without quotes."""

    first_line: int
    lines: list[bytes]


def iter_blocks(stream: BinaryIO, terminator: bytes) -> Iterator[bytes]:
    """Whole physical lines, many at a time, the last without its end; overlong ones come cut."""
    tail = b""
    while chunk := stream.read(CHUNK_BYTES):
        block, found, rest = chunk.rpartition(terminator)
        if found:
            block = tail + block
            yield block.replace(b"\r\n", b"\n") if b"\r" in block else block
            tail = rest
        else:
            tail += chunk
        tail = tail[: MAX_LINE_BYTES + 1]
    if tail:
        yield tail


class RecordReader:
    """Iterates over records, and over runs of plain lines at once; empty lines are skipped.

    Args:
        stream: the file's bytes, from the start.
        delimiter: one ASCII character.
        terminator: the byte that ends a line.
    """

    def __init__(self, stream: BinaryIO, delimiter: str, *, terminator: bytes = b"\n") -> None:
        self._separators: int | None = None
        self._terminator = terminator
        self._blocks = iter_blocks(stream, terminator)
        self._pending: deque[bytes] = deque()
        self._delimiter = delimiter
        self._separator = delimiter.encode()
        self._line = 0

    def expect(self, fields: int) -> None:
        """From here on a record of another number of fields is rejected as ragged."""
        self._separators = fields - 1

    def __iter__(self) -> Iterator[Record | PlainRun]:
        while True:
            if not self._pending:
                block = next(self._blocks, None)
                if block is None:
                    return
                lines = block.split(self._terminator)
                if self._is_plain(block, lines):
                    yield PlainRun(self._line + 1, lines)
                    self._line += len(lines)
                    continue
                self._pending.extend(lines)
            raw = self._next_line()
            if raw and (not raw.isspace() or self._separator in raw):
                yield self._record(raw)

    def _is_plain(self, block: bytes, lines: list[bytes]) -> bool:
        """Whether no line needs a look of its own: five times as fast as looking at each."""
        separator, separators = self._separator, self._separators
        return (
            separators is not None
            and block.isascii()
            and b'"' not in block
            and b"\0" not in block
            and b"\r" not in block
            and all(line.count(separator) == separators for line in lines)
            and max(map(len, lines)) <= MAX_FIELD_CHARACTERS
            and separators > 0
        )

    def _next_line(self) -> bytes | None:
        if not self._pending:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._pending.extend(block.split(self._terminator))
        self._line += 1
        raw = self._pending.popleft()
        if self._line == 1:
            raw = raw.removeprefix(UTF8_BOM)
        return raw.removesuffix(b"\r")

    def _push_back(self, lines: list[bytes]) -> None:
        self._pending.extendleft(reversed(lines))
        self._line -= len(lines)

    def _record(self, raw: bytes) -> Record:
        if rule := line_fault(raw):
            return Record(self._line, raw, rule=rule)
        if b'"' in raw:
            return self._quoted(raw)
        if len(raw) > MAX_FIELD_CHARACTERS and _too_long(raw.decode().split(self._delimiter)):
            return Record(self._line, raw, rule="field_too_long")
        if self._is_ragged(raw.count(self._separator) + 1):
            return Record(self._line, raw, rule="ragged_line")
        fields = raw.decode().split(self._delimiter) if b"\r" in raw else None
        return Record(self._line, raw, fields)

    def _quoted(self, raw: bytes) -> Record:
        line = self._line
        taken: list[bytes] = []
        reader = csv.reader(self._feed(raw, taken), delimiter=self._delimiter, strict=True)
        rule = None
        fields: list[str] = []
        try:
            fields = next(reader)
        except csv.Error as error:
            rule = (
                "field_too_long" if "field limit" in str(error) and not taken else "unclosed_quote"
            )
        if rule is None and _too_long(fields):
            rule = "field_too_long"
        elif rule is None and self._is_ragged(len(fields)):
            rule = "unclosed_quote" if taken else "ragged_line"
        if rule is None:
            return Record(line, raw, fields, is_multiline=bool(taken))
        if rule == "unclosed_quote":
            self._push_back(taken)
        return Record(line, raw, rule=rule)

    def _feed(self, first: bytes, taken: list[bytes]) -> Iterator[str]:
        """The record's lines, as many as csv asks for; ends before one that is at fault itself."""
        yield first.decode() + "\n"
        size = len(first)
        while (raw := self._next_line()) is not None:
            size += len(raw)
            if line_fault(raw) or size > MAX_LINE_BYTES:
                self._push_back([raw])
                return
            taken.append(raw)
            yield raw.decode() + "\n"

    def _is_ragged(self, fields: int) -> bool:
        return self._separators is not None and fields - 1 != self._separators


def line_fault(raw: bytes) -> str | None:
    """The rule that the line breaks by itself, whatever stands around it."""
    if len(raw) > MAX_LINE_BYTES:
        return "field_too_long"
    if b"\0" in raw:
        return "nul_byte"
    if raw.isascii():
        return None
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "invalid_byte"
    return None


def _too_long(fields: list[str]) -> bool:
    return any(len(field) > MAX_FIELD_CHARACTERS for field in fields)
