"""The first bytes and the header line of a delimited text file."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.probe import Probe
from dagster_project.lib.extracts.records import Record, RecordReader

_BINARY_HEADS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
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
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read_header(
    content: Path, delimiter: str, *, terminator: bytes, file: str
) -> tuple[list[str], Record]:
    """The column names and the record that holds them.

    Raises:
        ExtractError: no line at all, or a first line that is no text in UTF-8.
    """
    with content.open("rb") as stream:
        record = next(iter(RecordReader(stream, delimiter, terminator=terminator)), None)
    if not isinstance(record, Record):
        raise ExtractError(
            file, "the file is empty", remedy="Export it again, with its header line."
        )
    if record.rule is not None:
        raise ExtractError(
            file,
            f"the header cannot be read as text in UTF-8 ({record.rule})",
            remedy="Save the file as CSV in UTF-8, with the column names in its first line.",
        )
    fields = record.fields if record.fields is not None else record.raw.decode().split(delimiter)
    return fields, record


def refuse_binary(probe: Probe, file: str) -> None:
    """Raises ExtractError where the first bytes say that the file is no text in UTF-8."""
    for head, kind in _BINARY_HEADS.items():
        if probe.head.startswith(head):
            raise ExtractError(
                file,
                f"the file is {kind} in place of text",
                remedy="Save it as CSV in UTF-8, or name it by what it is (.parquet, .gz).",
            )
    if probe.head.startswith(_WIDE_MARKS):
        raise ExtractError(
            file,
            "the file is encoded in UTF-16 or UTF-32",
            remedy="Save it as CSV in UTF-8 (in Excel: 'CSV UTF-8').",
        )
