"""Finds the delivered files in a landing folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from natsort import natsorted

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.stillness import standing_still

PROFILES = ("generic",)
READ_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
REFUSED_SUFFIXES = (".xlsx", ".xls", ".xlsm", ".ods", ".zip", ".7z", ".bz2", ".zst", ".tar", ".tgz")

_SYSTEM_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class DeliveredFile:
    """One file to read; `relative_path` names it in reports, `delivery_order` is from 1.

    `extract` names the full extract that the file is a part of (empty: a delta), `layout` the kind of file
    under its profile; a full extract replaces the earlier ones of its system, entity and layout.
    """

    path: Path
    relative_path: str
    system: str
    entity: str
    profile: str
    size: int
    mtime_ns: int
    delivery_order: int
    layout: str = ""
    extract: str = ""


@dataclass(frozen=True)
class Discovery:
    """What a landing folder holds.

    Attributes:
        files: complete files, in natural order of their relative paths.
        left: relative paths of files that are still being written; the next run reads them.
        ignored: (relative path, reason) of what is no extract.
        errors: what looks like an extract and cannot be read.
    """

    files: tuple[DeliveredFile, ...]
    left: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    errors: tuple[ExtractError, ...]


@dataclass
class _Finds:
    candidates: list[tuple[Path, str, str]] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    errors: list[ExtractError] = field(default_factory=list)


def find_deliveries(landing: Path, *, profiles: Mapping[str, str]) -> Discovery:
    """Finds `<landing>/<system>/<entity>*.<suffix>[.gz]`.

    Args:
        landing: the landing folder.
        profiles: system -> source profile; `generic` where a system is not named.

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
        _look_at_top(entry, landing, profiles=profiles, finds=finds)
    stats, moving = standing_still([path for path, _, _ in finds.candidates])
    left = tuple(natsorted(_relative(path, landing) for path in moving))
    files = tuple(
        DeliveredFile(
            path=path,
            relative_path=_relative(path, landing),
            system=path.parent.name,
            entity=entity,
            profile=profile,
            size=stats[path].st_size,
            mtime_ns=stats[path].st_mtime_ns,
            delivery_order=order,
        )
        for order, (path, entity, profile) in enumerate(
            _in_order(finds.candidates, landing, stats), start=1
        )
    )
    if not (files or left or finds.errors):
        raise ExtractError(
            str(landing),
            "the landing folder holds no extract",
            remedy="Put files into it as <system>/<entity>.csv, e.g. crm/accounts.csv.",
        )
    return Discovery(files, left, tuple(finds.ignored), tuple(finds.errors))


def entity_of(file_name: str) -> str | None:
    """The longest entity name with which the file's name begins."""
    names = [name for name in load_entities() if file_name.lower().startswith(name)]
    return max(names, key=len, default=None)


def _look_at_top(entry: Path, landing: Path, *, profiles: Mapping[str, str], finds: _Finds) -> None:
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
    elif (profile := profiles.get(entry.name, "generic")) not in PROFILES:
        finds.errors.append(
            ExtractError(
                name,
                f"the source profile {profile!r} is not known",
                remedy=f"Known profiles: {', '.join(PROFILES)}.",
            )
        )
    else:
        for path in natsorted(entry.iterdir(), key=lambda path: path.name):
            _look_at_file(path, landing, profile=profile, finds=finds)


def _look_at_file(path: Path, landing: Path, *, profile: str, finds: _Finds) -> None:
    name = _relative(path, landing)
    entity = entity_of(path.name)
    lowered = path.name.lower()
    if reason := _ignored_because(path, entity):
        finds.ignored.append((name, reason))
    elif not _stays_inside(path, landing):
        finds.errors.append(_leaves(name))
    elif lowered.endswith(REFUSED_SUFFIXES):
        finds.errors.append(
            ExtractError(
                name,
                "files of this kind are not read",
                remedy="Save it as CSV (UTF-8, comma) or Parquet; gzip is read too (.csv.gz).",
            )
        )
    elif not lowered.removesuffix(".gz").endswith(READ_SUFFIXES):
        finds.ignored.append((name, "not a .csv, .tsv, .txt or .parquet file"))
    elif not path.is_file():
        finds.errors.append(
            ExtractError(
                name,
                "a directory (or a device) in place of a file",
                remedy="Move the files that it holds one folder up, or remove it.",
            )
        )
    else:
        assert entity is not None
        finds.candidates.append((path, entity, profile))


def _ignored_because(path: Path, entity: str | None) -> str | None:
    if path.name.startswith("."):
        return "hidden"
    if path.name.endswith(".done"):
        return "marker"
    if entity is None:
        return "its name begins with no known entity"
    if path.is_dir() and not path.suffix:
        return "a folder inside the folder of a system"
    return None


def _in_order(
    candidates: Iterable[tuple[Path, str, str]], landing: Path, stats: Mapping[Path, os.stat_result]
) -> list[tuple[Path, str, str]]:
    kept = [candidate for candidate in candidates if candidate[0] in stats]
    return list(natsorted(kept, key=lambda candidate: _relative(candidate[0], landing)))


def _stays_inside(path: Path, landing: Path) -> bool:
    return path.resolve().is_relative_to(landing.resolve())


def _relative(path: Path, landing: Path) -> str:
    return path.relative_to(landing).as_posix()


def _leaves(name: str) -> ExtractError:
    return ExtractError(
        name,
        "a link that leaves the landing folder",
        remedy="Put the file itself into the landing folder; links may only point inside it.",
    )
