"""Records of a CSV file that is not clean, one by one, in bounded memory.

No library serves: csv.reader and DuckDB let an opening quote that never closes swallow the rest of
the file, and DuckDB's store_rejects checks only the columns that a query uses.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from dagster_project.lib.extracts.furniture import NO_FURNITURE, Furniture
from dagster_project.lib.extracts.limits import CHUNK_BYTES, MAX_FIELD_CHARACTERS, MAX_LINE_BYTES

UTF8_BOM = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """One record, or one rejected line.

    Attributes:
        line: physical line on which the record begins, from 1.
        raw: the line's bytes without its end (and without the delimiters at its edges, where the
            dialect has them and the line is none to reject); of several lines, the first.
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
    """Lines that are records as they stand: right in number of fields, UTF-8, without quotes."""

    first_line: int
    lines: list[bytes]


def whole_lines(stream: BinaryIO, terminator: bytes) -> Iterator[bytes]:
    """Whole physical lines with their ends, many at a time; a line beyond the limit loses what is over."""
    tail = b""
    while chunk := stream.read(CHUNK_BYTES):
        block, found, rest = chunk.rpartition(terminator)
        if found:
            yield tail + block + terminator
            tail = rest
        else:
            tail += chunk
        tail = tail[: MAX_LINE_BYTES + 1]
    if tail:
        yield tail


def iter_blocks(stream: BinaryIO, terminator: bytes) -> Iterator[bytes]:
    """The same with line feeds alone, the last line without its end."""
    for lines in whole_lines(stream, terminator):
        block = lines.removesuffix(terminator)
        # the last line lost its line feed and keeps its return
        yield block.replace(b"\r\n", b"\n").removesuffix(b"\r") if b"\r" in block else block


class RecordReader:
    """Iterates over records, and over runs of plain lines at once; empty lines are skipped.

    Args:
        stream: the file's bytes in UTF-8, from the start.
        delimiter: one ASCII character.
        terminator: the byte that ends a line.
        quote: the quoting character, None = no quoting.
        has_edges: each line begins and ends with the delimiter.
        furniture: lines that are no records, from the moment when `expect` is called.

    Attributes:
        lines_skipped: lines of furniture met so far.
    """

    def __init__(
        self,
        stream: BinaryIO,
        delimiter: str,
        *,
        terminator: bytes = b"\n",
        quote: str | None = '"',
        has_edges: bool = False,
        furniture: Furniture = NO_FURNITURE,
    ) -> None:
        self.lines_skipped = 0
        self._separators: int | None = None
        self._terminator = terminator
        self._blocks = iter_blocks(stream, terminator)
        self._pending: deque[bytes] = deque()
        self._delimiter = delimiter
        self._separator = delimiter.encode()
        self._quote = quote
        self._quote_byte = quote.encode() if quote else None
        self._has_edges = has_edges
        self._furniture = furniture
        self._has_ended = False
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
                    yield PlainRun(self._line + 1, self._without_edges(lines))
                    self._line += len(lines)
                    continue
                self._pending.extend(lines)
            raw = self._next_line()
            if not raw or (raw.isspace() and self._separator not in raw):
                continue
            if self._separators is not None and self._is_furniture(raw):
                self.lines_skipped += 1
            elif self._has_ended:
                yield Record(self._line, raw, rule=line_fault(raw) or "ragged_line")
            else:
                yield self._record(raw)

    def _is_plain(self, block: bytes, lines: list[bytes]) -> bool:
        """Whether no line needs a look of its own: five times as fast as looking at each."""
        separator, separators = self._separator, self._separators
        if separators is None or separators <= 0 or self._has_ended or self._has_odd_bytes(block):
            return False
        wanted = separators + 2 * self._has_edges
        return (
            all(line.count(separator) == wanted for line in lines)
            and max(map(len, lines)) <= MAX_FIELD_CHARACTERS
            and not self._furniture.may_stand_in(block, self._terminator)
            and (not self._has_edges or all(map(self._is_between_edges, lines)))
        )

    def _has_odd_bytes(self, block: bytes) -> bool:
        """Quotes of any kind (the clean copy is quoted by double ones), NUL, returns, no UTF-8."""
        has_quote = self._quote_byte is not None and self._quote_byte in block
        is_odd = has_quote or b'"' in block or b"\0" in block or b"\r" in block
        return is_odd or not is_utf8(block)

    def _is_between_edges(self, line: bytes) -> bool:
        return line.startswith(self._separator) and line.endswith(self._separator) and len(line) > 1

    def _without_edges(self, lines: list[bytes]) -> list[bytes]:
        return [line[1:-1] for line in lines] if self._has_edges else lines

    def _is_furniture(self, raw: bytes) -> bool:
        if self._furniture.is_footer(raw):
            self._has_ended = True
            return True
        return self._furniture.is_skipped(raw)

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
        inner = raw
        if self._has_edges:
            inner = raw.strip(b" ")
            if not self._is_between_edges(inner):
                return Record(self._line, raw, rule="ragged_line")
            inner = inner[1:-1]
        if self._quote_byte is not None and self._quote_byte in inner:
            return self._quoted(raw, inner)
        if len(inner) > MAX_FIELD_CHARACTERS and _too_long(inner.decode().split(self._delimiter)):
            return Record(self._line, raw, rule="field_too_long")
        if self._is_ragged(inner.count(self._separator) + 1):
            return Record(self._line, raw, rule="ragged_line")
        is_odd = b"\r" in inner or b'"' in inner
        return Record(self._line, inner, inner.decode().split(self._delimiter) if is_odd else None)

    def _quoted(self, raw: bytes, inner: bytes) -> Record:
        line = self._line
        taken: list[bytes] = []
        reader = csv.reader(
            self._feed(inner, taken),
            delimiter=self._delimiter,
            quotechar=self._quote,
            strict=True,
        )
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
            return Record(line, inner, fields, is_multiline=bool(taken))
        if rule == "unclosed_quote":
            self._push_back(taken)
        return Record(line, raw, rule=rule)

    def _feed(self, first: bytes, taken: list[bytes]) -> Iterator[str]:
        """The record's lines, as many as csv asks for; ends before one that is at fault itself."""
        yield first.decode() + "\n"
        size = len(first)
        # between edges a value ends with its line
        while not self._has_edges and (raw := self._next_line()) is not None:
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
    return None if is_utf8(raw) else "invalid_byte"


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are whole characters of UTF-8."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _too_long(fields: list[str]) -> bool:
    return any(len(field) > MAX_FIELD_CHARACTERS for field in fields)
