"""Finds the delivered files in a landing folder, each with the layout that its name belongs to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from natsort import natsorted

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.extracts.ledger import content_of, delivery_id_of
from dagster_project.lib.extracts.profile import (
    GENERIC,
    EntityMapping,
    Layout,
    Profile,
    ProfileError,
    load_profile,
)
from dagster_project.lib.extracts.stillness import standing_still
from dagster_project.lib.extracts.zip_files import members

READ_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
REFUSED_SUFFIXES = (".xls", ".xlsm", ".xlsb", ".ods", ".7z", ".bz2", ".zst", ".tar", ".tgz", ".rar")
PACKED_SUFFIXES = (".gz", ".zip")

_SYSTEM_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, eq=False)
class DeliveredFile:
    """One file to read for one entity; `relative_path` names it in reports, `delivery_order` is from 1.

    Attributes:
        path: of the file itself, or of the zip archive that holds it.
        member: its name in the archive; None = the file is no archive.
        entity: canonical, or `<profile>.<layout>` for rows that other files are joined with.
        profile: name and content of the source profile.
        layout: which of the profile's.
        mapping: of the layout's rows to the entity's; None for rows that others are joined with.
        extract: the full extract that it is a part of, `scope` what that replaces; empty = a delta.
    """

    path: Path
    relative_path: str
    system: str
    entity: str
    profile: str
    size: int
    mtime_ns: int
    delivery_order: int
    source_profile: Profile
    layout: str
    mapping: EntityMapping | None
    member: str | None = None
    extract: str = ""
    scope: str = ""

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(self.relative_path).name

    @property
    def kind(self) -> Layout:
        """The layout itself."""
        return self.source_profile.layouts[self.layout]

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""
        return self.source_profile.dialects[self.layout]


@dataclass(frozen=True)
class Discovery:
    """What a landing folder holds.

    Attributes:
        files: complete files, once for each entity made of them, in natural order of their relative paths.
        left: relative paths of files that are still being written, and of those that such a file belongs to
            (its rows are joined with theirs, or both are parts of one full extract); the next run reads them.
        ignored: (relative path, reason) of what is no extract.
        errors: what looks like an extract and cannot be read.
        expected: entities of which a file is there, whether it can be read or not.
    """

    files: tuple[DeliveredFile, ...]
    left: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    errors: tuple[ExtractError, ...]
    expected: frozenset[str]


@dataclass(frozen=True)
class _Candidate:
    """A file, or a member of an archive, that a layout knows; an archive itself has no layout."""

    path: Path
    relative_path: str
    system: str
    profile: Profile
    layout: str
    member: str | None = None

    @property
    def extract(self) -> str:
        """The full extract that the file is a part of; empty = a delta."""
        layout = self.profile.layouts.get(self.layout)
        return layout.extract_of(self._name) if layout else ""

    @property
    def scope(self) -> str:
        """What the full extract replaces."""
        layout = self.profile.layouts.get(self.layout)
        return layout.scope_of(self._name) if layout else ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Parts of one full extract have the same."""
        return self.layout, self.scope, self.extract

    @property
    def _name(self) -> str:
        return _stem(PurePosixPath(self.relative_path).name)

    def entities(self) -> list[tuple[str, EntityMapping | None]]:
        made: list[tuple[str, EntityMapping | None]] = [*self.profile.mappings(self.layout)]
        if self.layout in self.profile.joined_layouts:
            made.append((f"{self.profile.name}.{self.layout}", None))
        return made


@dataclass
class _Finds:
    candidates: list[_Candidate] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    errors: list[ExtractError] = field(default_factory=list)
    unfinished: list[_Candidate] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)


def find_deliveries(
    landing: Path, *, profiles: Mapping[str, str], own_profiles: Path | None = None
) -> Discovery:
    """Finds `<landing>/<system>/<file>` whose name a layout of the system's profile knows.

    Args:
        landing: the landing folder.
        profiles: system -> source profile; `generic` where a system is not named.
        own_profiles: a folder of the company's own profiles.

    Raises:
        ExtractError: the folder is missing or holds nothing that could be an extract.
    """
    if not landing.is_dir():
        raise ExtractError(
            str(landing),
            "the landing folder does not exist or is no folder",
            remedy="Give the folder that holds one folder per system, e.g. crm/accounts.csv.",
        )
    finds = _Finds()
    for entry in natsorted(landing.iterdir(), key=lambda path: path.name):
        _look_at_top(entry, landing, profiles=profiles, own=own_profiles, finds=finds)
    stats, moving = standing_still(sorted({candidate.path for candidate in finds.candidates}))
    waiting = [c for c in finds.candidates if c.path in moving] + finds.unfinished
    whole = [c for c in finds.candidates if c.path in stats]
    while dependent := [c for c in whole if _waits_for(c, waiting)]:
        waiting += dependent
        whole = [c for c in whole if c not in dependent]
    if not (whole or waiting or finds.errors):
        raise ExtractError(
            str(landing),
            "the landing folder holds no extract",
            remedy="Put files into it as <system>/<entity>.csv, e.g. crm/accounts.csv.",
        )
    return Discovery(
        files=tuple(_delivered(whole, stats)),
        left=tuple(natsorted({candidate.relative_path for candidate in waiting})),
        ignored=tuple(finds.ignored),
        errors=tuple(finds.errors),
        expected=frozenset(finds.expected),
    )


def delivery_ids(files: Sequence[DeliveredFile], hashes: Mapping[Path, str]) -> list[int]:
    """Identity of each delivery: its own bytes and those of all files that its rows are joined with."""
    return [
        delivery_id_of(
            system=file.system,
            entity=file.entity,
            profile=file.profile,
            content=content_of(
                sha256_of(file, hashes),
                [sha256_of(other, hashes) for other in joined_with(file, files)],
            ),
        )
        for file in files
    ]


def sha256_of(file: DeliveredFile, hashes: Mapping[Path, str]) -> str:
    """Of the file's bytes; of a member of an archive, of the archive's hash and its name."""
    sha256 = hashes[file.path]
    if file.member is None:
        return sha256
    return hashlib.sha256(f"{sha256}/{file.member}".encode()).hexdigest()


def joined_with(file: DeliveredFile, files: Sequence[DeliveredFile]) -> list[DeliveredFile]:
    """The files of the system that the file's rows are joined with, in their order."""
    profile = file.source_profile
    names = profile.joined(file.mapping) if file.mapping is not None else ()
    entities = {f"{profile.name}.{name}" for name in names}
    found = [other for other in files if other.system == file.system and other.entity in entities]
    return [o for o, place in zip(found, places_of(found), strict=True) if not place.is_replaced]


def layout_of(file_name: str, profile: Profile) -> str | None:
    """The layout with the longest pattern that the file's name, without its suffixes, fits."""
    stem = _stem(file_name).lower()
    fitting = [
        (len(pattern), name)
        for name, layout in profile.layouts.items()
        for pattern in layout.files
        if fnmatchcase(stem, pattern.lower())
    ]
    return max(fitting, default=(0, None), key=lambda found: found[0])[1]


def _stem(file_name: str) -> str:
    for suffixes in (PACKED_SUFFIXES, READ_SUFFIXES):
        for suffix in suffixes:
            if file_name.lower().endswith(suffix):
                file_name = file_name[: -len(suffix)]
    return file_name


def _waits_for(candidate: _Candidate, waiting: Sequence[_Candidate]) -> bool:
    """Whether a file that is not complete yet is joined with this one's rows, or a part of its full extract."""
    profile = candidate.profile
    joined = {
        name
        for _, mapping in profile.mappings(candidate.layout)
        for name in profile.joined(mapping)
    }
    return any(
        other.system == candidate.system
        and (other.layout in joined or (candidate.extract and other.place == candidate.place))
        for other in waiting
    )


def _delivered(
    candidates: Iterable[_Candidate], stats: Mapping[Path, os.stat_result]
) -> Iterable[DeliveredFile]:
    # by the names as a person reads them: x.csv, x (1).csv, x_2.csv
    ordered = natsorted(candidates, key=lambda c: (_stem(c.relative_path), c.relative_path))
    for order, found in enumerate(ordered, start=1):
        for entity, mapping in found.entities():
            yield DeliveredFile(
                path=found.path,
                relative_path=found.relative_path,
                system=found.system,
                entity=entity,
                profile=found.profile.id,
                size=stats[found.path].st_size,
                mtime_ns=stats[found.path].st_mtime_ns,
                delivery_order=order,
                source_profile=found.profile,
                layout=found.layout,
                mapping=mapping,
                member=found.member,
                extract=found.extract,
                scope=found.scope,
            )


def _look_at_top(
    entry: Path, landing: Path, *, profiles: Mapping[str, str], own: Path | None, finds: _Finds
) -> None:
    name = _relative(entry, landing)
    if entry.name.startswith("."):
        finds.ignored.append((name, "hidden"))
    elif not _stays_inside(entry, landing):
        finds.errors.append(_leaves(name))
    elif not entry.is_dir():
        finds.ignored.append((name, "not in the folder of a source system"))
    elif not _SYSTEM_NAME.fullmatch(entry.name):
        finds.errors.append(
            ExtractError(
                name,
                "the name of a source system holds other characters than letters, digits, _ and -",
                remedy="Rename the folder, e.g. to crm or salesforce_eu.",
            )
        )
    else:
        try:
            profile = load_profile(profiles.get(entry.name, GENERIC), own)
        except ProfileError as error:
            finds.errors.append(
                ExtractError(name, str(error), remedy="Correct the setting or the profile's file.")
            )
            return
        for path in natsorted(entry.iterdir(), key=lambda path: path.name):
            _look_at_file(path, landing, profile=profile, finds=finds)


def _look_at_file(path: Path, landing: Path, *, profile: Profile, finds: _Finds) -> None:
    name = _relative(path, landing)
    if not _is_text(name):
        finds.errors.append(
            ExtractError(
                name.encode(errors="backslashreplace").decode(),
                "the file's name is no text in UTF-8",
                remedy="Rename the file, best with letters of ASCII alone.",
            )
        )
        return
    layout = layout_of(path.name, profile)
    lowered = path.name.lower()
    is_archive = lowered.endswith(".zip")
    if reason := _ignored_because(path, layout, is_archive=is_archive):
        finds.ignored.append((name, reason))
        return
    if layout is not None:
        finds.expected |= {entity for entity, _ in profile.mappings(layout)}
    if not _stays_inside(path, landing):
        finds.errors.append(_leaves(name))
    elif lowered.endswith(REFUSED_SUFFIXES):
        finds.errors.append(
            ExtractError(
                name,
                "files of this kind are not read",
                remedy="Save it as CSV, .xlsx or Parquet; .gz and .zip are read too.",
            )
        )
    elif not lowered.removesuffix(".gz").endswith((*READ_SUFFIXES, ".zip")):
        finds.ignored.append((name, "not a .csv, .tsv, .txt, .xlsx, .parquet or .zip file"))
    elif not path.is_file():
        finds.errors.append(
            ExtractError(
                name,
                "a directory (or a device) in place of a file",
                remedy="Move the files that it holds one folder up, or remove it.",
            )
        )
    elif profile.done_files and not path.with_name(f"{path.name}.done").exists():
        finds.unfinished.append(_Candidate(path, name, path.parent.name, profile, layout or ""))
    elif is_archive:
        _look_into(path, name, profile=profile, system=path.parent.name, finds=finds)
    else:
        assert layout is not None
        finds.candidates.append(_Candidate(path, name, path.parent.name, profile, layout))


def _look_into(path: Path, name: str, *, profile: Profile, system: str, finds: _Finds) -> None:
    """The members of an archive are files of the system, each by its own name."""
    try:
        found = members(path, file=name)
    except ExtractError as error:
        finds.errors.append(error)
        return
    for member in found:
        own_name = PurePosixPath(member.name).name
        # an archive of one file may carry the name in its stead: invoice_lines.zip with export.csv
        layout = layout_of(own_name, profile) or (
            layout_of(path.name, profile) if len(found) == 1 else None
        )
        inside = f"{name}/{member.name}"
        if layout is None or not own_name.lower().endswith(READ_SUFFIXES):
            reason = (
                "its name belongs to no layout" if layout is None else "not a file that is read"
            )
            finds.ignored.append((inside, f"{reason} of the profile {profile.name}"))
            continue
        finds.expected |= {entity for entity, _ in profile.mappings(layout)}
        finds.candidates.append(_Candidate(path, inside, system, profile, layout, member.name))


def _ignored_because(path: Path, layout: str | None, *, is_archive: bool) -> str | None:
    if path.name.startswith("."):
        return "hidden"
    if path.name.endswith(".done"):
        return "marker"
    if layout is None and not is_archive:
        return "its name begins with no known entity"
    if path.is_dir() and not path.suffix:
        return "a folder inside the folder of a system"
    return None


def _stays_inside(path: Path, landing: Path) -> bool:
    return path.resolve().is_relative_to(landing.resolve())


def _relative(path: Path, landing: Path) -> str:
    return path.relative_to(landing).as_posix()


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _leaves(name: str) -> ExtractError:
    return ExtractError(
        name,
        "a link that leaves the landing folder",
        remedy="Put the file itself into the landing folder; links may only point inside it.",
    )
