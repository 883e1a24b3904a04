"""Which source profile a system's files look like: proposed to the user, never chosen."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.discover import layout_of
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.gzip_files import head_of
from dagster_project.lib.extracts.header import known_labels
from dagster_project.lib.extracts.profile import Profile, ProfileError, load_profile, profile_files
from dagster_project.lib.extracts.zip_files import member_head, members

HEAD_BYTES = 64 * 1024
HEAD_LINES = 40


@dataclass(frozen=True)
class Likeness:
    """How much of a system's files a profile knows.

    Attributes:
        profile: its name.
        files: files whose name and header it knows.
        columns: header columns that it knows in these files.
    """

    profile: str
    files: int
    columns: int


def likenesses(folder: Path, own: Path | None) -> list[Likeness]:
    """Every profile that knows some file of a system's folder, the likeliest first."""
    heads = list(_heads(folder))
    found = []
    for name in profile_files(own):
        try:
            profile = load_profile(name, own)
        except ProfileError:
            continue
        counts = [count for file, lines in heads if (count := _known(file, lines, profile))]
        if counts:
            found.append(Likeness(name, len(counts), sum(counts)))
    # of two that know as much the one with the simpler name stands first: generic before others
    return sorted(found, key=lambda like: (-like.files, -like.columns, like.profile != "generic"))


def _known(file_name: str, lines: Sequence[Sequence[str]] | str, profile: Profile) -> int:
    """Columns of the file's header that the layout of its name knows; 0 where a required one is missing."""
    layout = layout_of(file_name, profile)
    if layout is None:
        return 0
    known = known_labels(profile.layouts[layout])
    required = [column for column in profile.layouts[layout].columns.values() if column.required]
    rows: Iterable[Sequence[str]] = lines if not isinstance(lines, str) else ()
    if isinstance(lines, str):
        delimiters = profile.dialects[layout].delimiters
        rows = [
            row
            for delimiter in delimiters
            for row in csv.reader(lines.splitlines()[:HEAD_LINES], delimiter=delimiter)
        ]
    best = max((known(row) for row in rows), default=0)
    return best if best >= max(1, len(required)) else 0


def _heads(folder: Path) -> Iterable[tuple[str, list[list[str]] | str]]:
    """(file name, first lines): text as it is, cells of a workbook or Parquet file by row."""
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            if name.endswith(".zip"):
                for member in members(path, file=path.name):
                    yield Path(member.name).name, _text(member_head(path, member.name, HEAD_BYTES))
            elif name.endswith(".gz"):
                yield path.name, _text(head_of(path, HEAD_BYTES))
            elif name.endswith(".parquet"):
                yield path.name, [_parquet_names(path)]
            elif name.endswith(".xlsx"):
                yield path.name, _cells(path)
            elif name.endswith((".csv", ".tsv", ".txt")):
                with path.open("rb") as stream:
                    yield path.name, _text(stream.read(HEAD_BYTES))
        except (OSError, ExtractError, ValueError):
            continue


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    # labels are compared without accents, so a wrong code page costs a label at most
    return head.decode("utf-8-sig", errors="replace").replace("\0", "")


def _parquet_names(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def _cells(path: Path) -> list[list[str]]:
    import pandas as pd

    sheets = pd.read_excel(path, sheet_name=None, header=None, engine="calamine", nrows=HEAD_LINES)
    return [[str(cell) for cell in row] for sheet in sheets.values() for row in sheet.to_numpy()]
