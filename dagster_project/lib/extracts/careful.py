"""The careful path: writes a clean copy of a file that DuckDB cannot read as it is."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.lib.extracts.limits import MAX_RAW_TEXT_CHARACTERS
from dagster_project.lib.extracts.records import PlainRun, Record, RecordReader


@dataclass
class CleanCopy:
    """The clean copy and what was left out of it.

    Attributes:
        path: CSV in the original's delimiter, without header; its first column is the line.
        rejects: JSON lines with `line_number`, `rule`, `raw_line`.
        rows: records in the copy.
        reasons: rejected lines by rule.
        has_multiline: some field holds a line break.
    """

    path: Path
    rejects: Path
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    has_multiline: bool = False


def write_clean_copy(
    source: Path, scratch: Path, *, delimiter: str, terminator: bytes
) -> CleanCopy:
    """Copies the good records and sets the bad lines apart, in bounded memory.

    The first record is the header; it says how many fields each record has.
    """
    copy = CleanCopy(path=scratch / "clean.csv", rejects=scratch / "rejected_lines.json")
    separator = delimiter.encode()
    with (
        source.open("rb") as stream,
        copy.path.open("wb") as clean,
        copy.rejects.open("w", encoding="ascii") as rejects,
    ):
        reader = RecordReader(stream, delimiter, terminator=terminator)
        records = iter(reader)
        header = next(records)
        assert isinstance(header, Record)
        reader.expect(_field_count(header, separator))
        for item in records:
            if isinstance(item, PlainRun):
                copy.rows += len(item.lines)
                clean.write(_numbered(item, separator))
            elif item.rule is not None:
                copy.reasons[item.rule] += 1
                rejects.write(_reject_line(item))
            else:
                copy.rows += 1
                copy.has_multiline = copy.has_multiline or item.is_multiline
                clean.write(_clean_line(item, separator))
    return copy


def raw_text(raw: bytes) -> str:
    """A rejected line as text: bytes that are no UTF-8, and NUL, are written as escapes."""
    text = raw.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")
    return text[:MAX_RAW_TEXT_CHARACTERS]


def _field_count(header: Record, separator: bytes) -> int:
    return len(header.fields) if header.fields is not None else header.raw.count(separator) + 1


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
