"""Which source profile a system's files look like: said to the user, never chosen."""

from __future__ import annotations

import csv
import gzip
import logging
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.discover import PACKED_SUFFIXES, READ_SUFFIXES, layout_of
from dagster_project.lib.extracts.header import known_labels
from dagster_project.lib.extracts.profile import (
    GENERIC,
    Profile,
    ProfileError,
    load_profile,
    profile_files,
)
from dagster_project.lib.extracts.workbook_parts import sheets_of
from dagster_project.lib.extracts.zip_files import members

log = logging.getLogger(__name__)

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


@dataclass(frozen=True)
class Proposal:
    """What a system's folder looks like.

    Attributes:
        system: the folder's name.
        files: data files in it.
        used: the profile that it is read by.
        likely: the profile that knows most of it, where that is another one.
    """

    system: str
    files: int
    used: Likeness
    likely: Likeness | None

    def __str__(self) -> str:
        said = (
            f"{self.system} is read as {self.used.profile}, which knows {self.used.files} of its"
            f" {self.files} files and {self.used.columns} columns in them"
        )
        if self.likely is None:
            return said
        return (
            f"{said}; {self.likely.profile} knows {self.likely.files} and {self.likely.columns}. If it is one, "
            f"say so: --profile {self.system}={self.likely.profile}"
        )


def proposals(landing: Path, *, profiles: Mapping[str, str], own: Path | None) -> list[Proposal]:
    """One for each system's folder that holds data files."""
    if not landing.is_dir():
        return []
    found = [
        _proposal(folder, used=profiles.get(folder.name, GENERIC), own=own)
        for folder in sorted(landing.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    ]
    return [proposal for proposal in found if proposal is not None]


def _proposal(folder: Path, *, used: str, own: Path | None) -> Proposal | None:
    heads = list(_heads(folder))
    if not heads:
        return None
    known = {}
    for name in profile_files(own):
        try:
            profile = load_profile(name, own)
        except ProfileError:
            continue
        counts = [count for file, head in heads if (count := _known(file, head, profile))]
        known[name] = Likeness(name, len(counts), sum(counts))
    current = known.get(used, Likeness(used, 0, 0))
    best = max(known.values(), key=lambda like: (like.files, like.columns), default=current)
    is_better = (best.files, best.columns) > (current.files, current.columns)
    return Proposal(folder.name, len(heads), current, best if is_better else None)


def _known(file_name: str, head: str | Sequence[Sequence[str]], profile: Profile) -> int:
    """Columns of the file's header that the layout of its name knows; 0 where a required one is missing."""
    layout = layout_of(file_name, profile)
    if layout is None:
        return 0
    columns = profile.layouts[layout].columns
    known = known_labels(profile.layouts[layout])
    rows: Iterable[Sequence[str]] = (
        head if not isinstance(head, str) else _split(head, profile, layout)
    )
    best = max((known(row) for row in rows), default=0)
    return best if best >= max(1, sum(column.required for column in columns.values())) else 0


def _split(head: str, profile: Profile, layout: str) -> Iterable[Sequence[str]]:
    lines = head.splitlines()[:HEAD_LINES]
    for delimiter in profile.dialects[layout].delimiters:
        yield from csv.reader(lines, delimiter=delimiter)


def _heads(folder: Path) -> Iterable[tuple[str, str | list[list[str]]]]:
    """(file name, its first lines): text as it is, of a workbook or a Parquet file the cells by row."""
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        is_inside = path.resolve().is_relative_to(folder.resolve().parent)
        if not path.is_file() or name.startswith(".") or not is_inside:
            continue
        if not name.endswith((*READ_SUFFIXES, *PACKED_SUFFIXES)):
            continue
        try:
            yield from _heads_of(path)
        except Exception as error:
            # a damaged archive or workbook raises what its library likes; landing says what is wrong with it
            log.debug("%s looks like nothing: %s", path.name, type(error).__name__)
            yield path.name, ""


def _heads_of(path: Path) -> Iterable[tuple[str, str | list[list[str]]]]:
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for member in members(path, file=path.name):
                with archive.open(member.name) as stream:
                    yield Path(member.name).name, _text(stream.read(HEAD_BYTES))
    elif name.endswith(".gz"):
        with gzip.open(path) as unpacked:
            yield path.name, _text(unpacked.read(HEAD_BYTES))
    elif name.endswith(".parquet"):
        # pyarrow and pandas take their time to import, and few folders need them
        import pyarrow.parquet as pq

        yield path.name, [list(pq.read_schema(path).names)]
    elif name.endswith(".xlsx"):
        import pandas as pd

        # refuses what is no workbook, or would unpack to more than is read
        sheets_of(path, file=path.name)
        sheets = pd.read_excel(
            path, sheet_name=None, header=None, engine="calamine", nrows=HEAD_LINES
        )
        cells = [[str(c) for c in row] for sheet in sheets.values() for row in sheet.to_numpy()]
        yield path.name, cells
    else:
        with path.open("rb") as stream:
            yield path.name, _text(stream.read(HEAD_BYTES))


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return head.decode("cp1252", errors="replace").replace("\0", "")
