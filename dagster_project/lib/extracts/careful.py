"""The careful path: writes a clean copy of a file that DuckDB cannot read as it is."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.lib.extracts.csv_header import FoundHeader, reader_of
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.limits import MAX_RAW_TEXT_CHARACTERS
from dagster_project.lib.extracts.records import PlainRun, Record


@dataclass
class CleanCopy:
    """The clean copy and what was left out of it.

    Attributes:
        path: CSV in the original's delimiter and double quotes, without header; its first column
            is the line.
        rejects: JSON lines with `line_number`, `rule`, `raw_line`.
        rows: records in the copy.
        reasons: rejected lines by rule.
        lines_skipped: lines of furniture.
        has_multiline: some field holds a line break.
    """

    path: Path
    rejects: Path
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    lines_skipped: int = 0
    has_multiline: bool = False


def write_clean_copy(
    source: Path, scratch: Path, *, header: FoundHeader, dialect: Dialect, terminator: bytes
) -> CleanCopy:
    """Copies the good records and sets the bad lines apart, in bounded memory.

    The header says how many fields each record has; what stands before it is furniture.
    """
    copy = CleanCopy(path=scratch / "clean.csv", rejects=scratch / "rejected_lines.json")
    separator = header.delimiter.encode()
    repeated = header.record if dialect.repeated_headers else None
    with (
        source.open("rb") as stream,
        copy.path.open("wb") as clean,
        copy.rejects.open("w", encoding="ascii") as rejects,
    ):
        reader, furniture = reader_of(stream, header.delimiter, dialect, terminator=terminator)
        records = iter(reader)
        while (item := next(records)).line != header.record.line:  # type: ignore[union-attr]
            copy.lines_skipped += 1
        if repeated is not None:
            furniture.repeats(repeated.raw)
        reader.expect(len(header.names))
        for item in records:
            if isinstance(item, PlainRun):
                copy.rows += len(item.lines)
                clean.write(_numbered(item, separator))
            elif item.rule is not None:
                copy.reasons[item.rule] += 1
                rejects.write(_reject_line(item))
            elif repeated is not None and _is_equal(item, repeated):
                copy.lines_skipped += 1
            else:
                copy.rows += 1
                copy.has_multiline = copy.has_multiline or item.is_multiline
                clean.write(_clean_line(item, separator))
        copy.lines_skipped += reader.lines_skipped
    return copy


def raw_text(raw: bytes) -> str:
    """A rejected line as text: bytes that are no UTF-8, and NUL, are written as escapes."""
    text = raw.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")
    return text[:MAX_RAW_TEXT_CHARACTERS]


def _is_equal(record: Record, header: Record) -> bool:
    if record.fields is not None or header.fields is not None:
        return record.fields == header.fields
    return record.raw.rstrip() == header.raw.rstrip()


def _reject_line(record: Record) -> str:
    row = {"line_number": record.line, "rule": record.rule, "raw_line": raw_text(record.raw)}
    return json.dumps(row) + "\n"


def _numbered(run: PlainRun, separator: bytes) -> bytes:
    line = b"%d" + separator + b"%b\n"
    return b"".join(map(line.__mod__, enumerate(run.lines, start=run.first_line)))


def _clean_line(record: Record, separator: bytes) -> bytes:
    if record.fields is None:
        return b"%d%b%b\n" % (record.line, separator, record.raw)
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=separator.decode(), quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    writer.writerow([str(record.line), *record.fields])
    return text.getvalue().encode()
