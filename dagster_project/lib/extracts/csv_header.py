"""The first bytes and the header line of a delimited text file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.furniture import Furniture
from dagster_project.lib.extracts.header import too_many_columns
from dagster_project.lib.extracts.limits import MAX_COLUMNS
from dagster_project.lib.extracts.probe import Probe
from dagster_project.lib.extracts.records import Record, RecordReader

DELIMITER_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}

_BINARY_HEADS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a SQLite database",
}

Known = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class FoundHeader:
    """The header: its names, the record that holds them, and what separates them.

    Attributes:
        known: how many of the names are column labels of the layout.
        has_edges: the line begins and ends with the delimiter, and so does each line below.
    """

    names: tuple[str, ...]
    record: Record
    delimiter: str
    known: int
    has_edges: bool = False


def reader_of(
    stream: BinaryIO, delimiter: str, dialect: Dialect, *, terminator: bytes
) -> tuple[RecordReader, Furniture]:
    """The reader of a file under a dialect, and the furniture that it leaves out."""
    furniture = Furniture(dialect.skip_lines, dialect.footer_lines)
    reader = RecordReader(
        stream,
        delimiter,
        terminator=terminator,
        quote=dialect.quote,
        has_edges=dialect.edge_delimiters,
        furniture=furniture,
    )
    return reader, furniture


def find_header(
    content: Path,
    dialect: Dialect,
    *,
    delimiters: Sequence[str],
    terminator: bytes,
    known: Known,
    file: str,
    wanted: Sequence[str] = (),
) -> FoundHeader:
    """The line with the most known labels, under the delimiter with the most; the first of equals.

    Raises:
        ExtractError: no line at all, no line that is text, or none with a known label.
    """
    best: FoundHeader | None = None
    unreadable: Record | None = None
    # of a system that writes lists between bars, other exports are read too: edges are the file's
    edges = (True, False) if dialect.edge_delimiters else (False,)
    for delimiter in delimiters:
        for has_edges in edges:
            form = dialect.with_edges(has_edges)
            for record in _first_records(content, delimiter, form, terminator=terminator):
                if record.rule is not None:
                    unreadable = unreadable or record
                    continue
                names = _names(record, delimiter)
                found = FoundHeader(names, record, delimiter, known(names), has_edges)
                if best is None or found.known > best.known:
                    best = found
    if best is not None and len(best.names) > MAX_COLUMNS:
        raise too_many_columns(len(best.names), file)
    if best is not None and best.known:
        return best
    if best is None or (unreadable is not None and not dialect.banner_lines):
        raise _no_header(unreadable, dialect, file)
    raise _unknown_language(best, dialect, delimiters=delimiters, file=file, wanted=wanted)


def refuse_binary(probe: Probe, file: str, *, dialect: Dialect) -> None:
    """Raises ExtractError where the first bytes say that the file is no text."""
    for head, kind in _BINARY_HEADS.items():
        if probe.head.startswith(head):
            raise ExtractError(
                file,
                f"the file is {kind} in place of text",
                remedy=f"Save it as {form_of(dialect)}, or name it by what it is (.xlsx, .zip,"
                " .parquet, .gz).",
            )


def form_of(dialect: Dialect) -> str:
    """What a person is told to save a file as, e.g. `CSV (semicolons) in UTF-8`."""
    encodings = " or ".join(
        "UTF-8" if encoding == "utf-8" else encoding for encoding in dialect.encodings
    )
    if dialect.delimiters == (",",):
        return f"CSV in {encodings}"
    return f"text separated by {_names_of(dialect.delimiters)} in {encodings}"


def _first_records(
    content: Path, delimiter: str, dialect: Dialect, *, terminator: bytes
) -> list[Record]:
    records = []
    with content.open("rb") as stream:
        reader, _ = reader_of(stream, delimiter, dialect, terminator=terminator)
        for record in reader:
            assert isinstance(record, Record)
            records.append(record)
            if len(records) > dialect.banner_lines:
                break
    return records


def _names(record: Record, delimiter: str) -> tuple[str, ...]:
    fields = record.fields if record.fields is not None else record.raw.decode().split(delimiter)
    return tuple(fields)


def _no_header(unreadable: Record | None, dialect: Dialect, file: str) -> ExtractError:
    if unreadable is None:
        return ExtractError(
            file, "the file is empty", remedy="Export it again, with its header line."
        )
    encodings = " or ".join(dialect.encodings).replace("utf-8", "UTF-8")
    where = "in its first line"
    if dialect.banner_lines:
        where = f"in one of its first {dialect.banner_lines + 1} lines"
    return ExtractError(
        file,
        f"the header cannot be read as text in {encodings} ({unreadable.rule})",
        remedy=f"Save the file as {form_of(dialect)}, with the column names {where}.",
    )


def _unknown_language(
    found: FoundHeader,
    dialect: Dialect,
    *,
    delimiters: Sequence[str],
    file: str,
    wanted: Sequence[str],
) -> ExtractError:
    place = "first line"
    if dialect.banner_lines:
        place = f"first {dialect.banner_lines + 1} lines"
    names = f", {', '.join(wanted)} among them" if wanted else ""
    hint = ""
    line = found.record.raw.decode(errors="replace")
    other = [sign for sign in DELIMITER_NAMES if sign in line and sign not in delimiters]
    if len(found.names) == 1 and other:
        hint = (
            f" The line seems to be separated by {DELIMITER_NAMES[other[0]]}s; the profile reads"
            f" {_names_of(delimiters)}."
        )
    return ExtractError(
        file,
        "the header is in no known language: none of its"
        f" {len(found.names)} names is a column that the profile knows",
        remedy=f"The {place} must hold the column names{names}.{hint}",
    )


def _names_of(delimiters: Sequence[str]) -> str:
    return " or ".join(
        f"{DELIMITER_NAMES[sign]}s" if sign in DELIMITER_NAMES else sign for sign in delimiters
    )
