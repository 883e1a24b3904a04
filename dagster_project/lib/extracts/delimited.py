"""Delimited text as a relation of text columns: DuckDB on a clean file as it is, or on a clean copy.

Belongs here: which of the two ways a file takes. Not: what a value means.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.lib.extracts.careful import write_clean_copy
from dagster_project.lib.extracts.csv_header import (
    DELIMITER_NAMES,
    FoundHeader,
    Known,
    find_header,
    refuse_binary,
)
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.encoding import Encoded, as_utf8
from dagster_project.lib.extracts.furniture import Furniture
from dagster_project.lib.extracts.limits import CHUNK_BYTES, MAX_FAST_LINE_BYTES, MAX_LINE_BYTES
from dagster_project.lib.extracts.probe import Probe, probe_file
from dagster_project.lib.extracts.quoting import literal


@dataclass(frozen=True)
class TextTable:
    """The rows of a delivered file as text.

    Attributes:
        relation: DuckDB FROM clause whose columns are all VARCHAR: s1..sN in the file's order, and s0,
            the physical line, where `has_line`.
        names: the header's names as delivered.
        has_line: whether there is s0.
        line_offset: line of the first row where there is no s0.
        rows: records in the relation.
        is_careful: False = DuckDB reads the file itself: whoever runs the relation compares its count
            with `rows`, and opens the file again with careful=True if it differs or DuckDB fails.
        rejects: JSON lines with line_number, rule, raw_line; None where no line was rejected.
        reasons: rejected lines by rule.
        lines_skipped: lines of furniture: banner, skipped lines, footer, repeated headers.
        may_need_trim: white space may stand at the edge of some value.
        encoding: for the ledger, e.g. `utf-16-le with byte-order mark`.
        dialect: for the ledger, e.g. `csv, semicolon, crlf`.
        has_native_values: dates may be ISO whatever the dialect says: cells of a workbook.
    """

    relation: str
    names: tuple[str, ...]
    has_line: bool
    line_offset: int
    rows: int
    is_careful: bool
    rejects: Path | None
    reasons: Counter[str] = field(default_factory=Counter)
    lines_skipped: int = 0
    may_need_trim: bool = True
    encoding: str = ""
    dialect: str = ""
    has_native_values: bool = False


def open_delimited(
    content: Path,
    *,
    scratch: Path,
    dialect: Dialect,
    file: str,
    suffix: str,
    known: Known,
    probe: Probe | None = None,
    careful: bool = False,
    wanted: Sequence[str] = (),
) -> TextTable:
    """Finds encoding, delimiter and header, and says how the rows are to be read.

    Args:
        content: the file's bytes, unpacked.
        scratch: folder for the copies of this file alone, on a disk with room for two.
        dialect: the profile's.
        file: the name for errors.
        suffix: of the delivered file, e.g. `.csv`.
        known: how many of a line's fields are column labels of the layout, 0 = it is no header.
        probe: of `content` under dialect.delimiters_for(suffix), where it was read already.
        careful: never let DuckDB read the file itself.
        wanted: names of columns that must be there, for the remedy of a header that is not found.

    Raises:
        ExtractError: the bytes are no text, or no line is a header that `known` knows.
    """
    delimiters = dialect.delimiters_for(suffix)
    probe = probe or probe_file(content, delimiters)
    refuse_binary(probe, file, dialect=dialect)
    encoded = as_utf8(content, scratch, dialect=dialect, probe=probe, file=file)
    probe = encoded.probe
    terminator = b"\r" if probe.has_lone_cr and not probe.has_line_feed else b"\n"
    header = find_header(
        encoded.path,
        dialect,
        delimiters=delimiters,
        terminator=terminator,
        known=known,
        file=file,
        wanted=wanted,
    )
    dialect = dialect.with_edges(header.has_edges)
    form = f"csv, {DELIMITER_NAMES.get(header.delimiter, header.delimiter)}, {_line_end(probe)}"
    if not careful and _looks_clean(encoded, header, dialect):
        return _fast(encoded, header, dialect, form=form)
    return _careful(encoded, header, dialect, scratch=scratch, terminator=terminator, form=form)


def _fast(encoded: Encoded, header: FoundHeader, dialect: Dialect, *, form: str) -> TextTable:
    probe = encoded.probe
    # DuckDB 1.5 given new_line = '\\r\\n' reads no row at all; left to itself it finds it
    new_line = "" if probe.has_crlf else "new_line = '\\n', "
    options = f"skip = 1, {new_line}max_line_size = {MAX_FAST_LINE_BYTES}"
    return TextTable(
        relation=_relation(
            encoded.path, header, quote=dialect.quote, options=options, has_line=False
        ),
        names=header.names,
        has_line=False,
        line_offset=2,
        rows=probe.lines - 1,
        is_careful=False,
        rejects=None,
        may_need_trim=probe.may_need_trim or header.delimiter not in probe.delimiters,
        encoding=encoded.label,
        dialect=form,
    )


def _careful(
    encoded: Encoded,
    header: FoundHeader,
    dialect: Dialect,
    *,
    scratch: Path,
    terminator: bytes,
    form: str,
) -> TextTable:
    copy = write_clean_copy(
        encoded.path, scratch, header=header, dialect=dialect, terminator=terminator
    )
    options = (
        f"new_line = '\\n', max_line_size = {2 * MAX_LINE_BYTES},"
        f" parallel = {not copy.has_multiline}"
    )
    return TextTable(
        relation=_relation(copy.path, header, quote='"', options=options, has_line=True),
        names=header.names,
        has_line=True,
        line_offset=header.record.line + 1,
        rows=copy.rows,
        is_careful=True,
        rejects=copy.rejects if copy.reasons else None,
        reasons=copy.reasons,
        lines_skipped=copy.lines_skipped,
        encoding=encoded.label,
        dialect=form,
    )


def _line_end(probe: Probe) -> str:
    if probe.has_crlf:
        return "crlf"
    return "lf" if probe.has_line_feed or not probe.has_lone_cr else "cr"


def _relation(
    content: Path, header: FoundHeader, *, quote: str | None, options: str, has_line: bool
) -> str:
    first = 0 if has_line else 1
    columns = ", ".join(f"'s{index}': 'VARCHAR'" for index in range(first, len(header.names) + 1))
    quote = quote or ""
    return (
        f"read_csv({literal(content)}, auto_detect = false, header = false,"
        f" delim = {literal(header.delimiter)}, quote = {literal(quote)},"
        f" escape = {literal(quote)}, strict_mode = true,"
        f" null_padding = false, {options}, columns = {{{columns}}})"
    )


def _looks_clean(encoded: Encoded, header: FoundHeader, dialect: Dialect) -> bool:
    """Whether each physical line after the first can be one record.

    A file of one column is left to the careful path: DuckDB takes an empty line of it for a row.
    """
    probe = encoded.probe
    odd = probe.has_nul or probe.has_lone_cr or probe.has_mixed_ends or not probe.is_utf8
    simple_header = header.record.line == 1 and not header.record.is_multiline
    return (
        not odd
        and simple_header
        and len(header.names) > 1
        and not dialect.edge_delimiters
        and _ends_whole(probe, header, quote=dialect.quote)
        and not _may_hold_furniture(encoded.path, header, dialect)
    )


def _may_hold_furniture(content: Path, header: FoundHeader, dialect: Dialect) -> bool:
    """Whether furniture may stand below the header; bytes are searched, no line is looked at."""
    furniture = Furniture(dialect.skip_lines, dialect.footer_lines)
    if dialect.repeated_headers:
        furniture.repeats(header.record.raw)
    if furniture.is_empty:
        return False
    kept = 2 * len(header.record.raw) + furniture.reach
    with content.open("rb") as stream:
        stream.readline()
        block = b"\n"
        while chunk := stream.read(CHUNK_BYTES):
            block += chunk
            if furniture.may_stand_in(block, b"\n"):
                return True
            block = block[-kept:]
    return False


def _ends_whole(probe: Probe, header: FoundHeader, *, quote: str | None) -> bool:
    """Whether the last line has all its fields: DuckDB fills up a cut one without a word."""
    last = probe.tail.rpartition(b"\n")[2].removesuffix(b"\r")
    try:
        fields = next(
            csv.reader(
                [last.decode()],
                delimiter=header.delimiter,
                quotechar=quote,
                quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
                strict=True,
            ),
            [],
        )
    except (csv.Error, UnicodeDecodeError):
        return False
    return len(fields) == len(header.names)
