"""Marts that are written by part, so that a part that did not change is not sorted and hashed again.

    <folder>/<mart>/index.json                 what the last release was made of
    <folder>/<mart>/<fingerprint>.parquet      one part, sorted

The folder is a cache: whatever is absent or damaged in it is made again, so it needs no sync. The
fingerprint is DuckDB's own hash of all rows of the part, with all that decides how they are written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from pydantic import BaseModel, ValidationError

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.content import Column, value_text
from dagster_project.lib.release.durable import part_of

INDEX = "index.json"
# Counted up when parts are written or hashed in another way.
LAYOUT = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slice:
    """The rows of one value of the part column: the value's text, how many, and their hash.

    `condition` selects them.
    """

    value: str
    rows: int
    hashed: str
    condition: str


class KeptPart(BaseModel):
    """A part on the disk; `sha256` is of its content, `file_sha256` of its bytes."""

    fingerprint: str
    sha256: str
    file_sha256: str


class _Index(BaseModel):
    parts: list[KeptPart]


def slices(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, columns: Sequence[Column]
) -> list[Slice]:
    """The slices of a relation by the values of a column, in order, in one pass without a sort.

    The sum of the rows' hashes does not depend on their order. Each hash is hashed again: the
    hash of several columns ends in an exclusive or, under which two rows that swap their last value
    could add up alike.
    """
    kinds = dict(columns)
    name, kind = identifier(column), kinds[column]
    whole = ", ".join(identifier(each) for each in kinds)
    rows = connection.execute(
        f"select {value_text((column, kind))}, {name}::varchar, count(*), "
        f"sum(hash(hash({whole})))::varchar from {relation} group by {name} "
        f"order by {name} nulls first"
    ).fetchall()
    return [
        Slice(
            value=text,
            rows=count,
            hashed=hashed,
            condition=f"{name} is null"
            if shown is None
            else f"{name} = cast({literal(shown)} as {kind})",
        )
        for text, shown, count, hashed in rows
    ]


def fingerprint(part: Slice, *, key: Sequence[str], columns: Sequence[Column]) -> str:
    """Names what a part's file is made of; another engine version has another hash."""
    said = [LAYOUT, duckdb.__version__, list(key), list(columns), part.value, part.rows]
    return hashlib.sha256(json.dumps([*said, part.hashed]).encode()).hexdigest()[:32]


class PartStore:
    """The parts of one mart that are on the disk."""

    def __init__(self, folder: Path) -> None:
        """Reads the index of `folder`; one that cannot be read counts as none."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known = _read_index(folder / INDEX)

    def path(self, name: str) -> Path:
        """Where the part of this fingerprint lies, or would."""
        return self.folder / f"{name}.parquet"

    def found(self, name: str) -> KeptPart | None:
        """The part, if it is there and its bytes are those that were written."""
        part = self._known.get(name)
        if part is None:
            return None
        try:
            is_whole = _file_sha256(self.path(name)) == part.file_sha256
        except OSError:
            is_whole = False
        if not is_whole:
            logger.warning("%s is absent or damaged; it is made again", self.path(name))
        return part if is_whole else None

    def draft(self, name: str) -> Path:
        """Where the part is to be written before `add`."""
        return part_of(self.path(name))

    def add(self, name: str, *, sha256: str) -> KeptPart:
        """Takes the draft in as a part of this content."""
        draft = self.draft(name)
        part = KeptPart(fingerprint=name, sha256=sha256, file_sha256=_file_sha256(draft))
        os.replace(draft, self.path(name))
        return part

    def keep(self, parts: Sequence[KeptPart]) -> None:
        """Writes the index of these parts, and removes every other file."""
        index = self.folder / INDEX
        draft = part_of(index)
        draft.write_text(_Index(parts=list(parts)).model_dump_json(indent=2), encoding="utf-8")
        os.replace(draft, index)
        kept = {INDEX, *(self.path(part.fingerprint).name for part in parts)}
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink()


def _read_index(path: Path) -> Mapping[str, KeptPart]:
    try:
        index = _Index.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError):
        logger.warning("%s is not readable; all parts are made again", path)
        return {}
    return {part.fingerprint: part for part in index.parts}


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
