"""The ledger: one record per landed file, by content hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from dagster_project.lib.extracts.limits import CHUNK_BYTES

# Raised when the reader lands the same bytes differently: what was landed is landed again.
READER_VERSION = "3"


class LedgerEntry(BaseModel):
    """What was read of one delivered file for one entity; rows_read = rows_loaded + rows_rejected.

    `found_columns` are the layout's that the file has, `absent_columns` the entity's that it says nothing of.
    `file` is the path (relative to the landing folder) under which the content was seen first.
    `landed` and `rejected` are file names in raw/<entity>/ and raw/rejected/. `rows_by_month` counts the
    loaded rows of an entity that is dated, by the first day of the month. `content` identifies what the rows
    were made from: the file's bytes, and those of the files that it was joined with. `rows_left_out` counts
    rows of the file that are no rows of the entity, by the profile's reason; `lines_skipped` lines that are no
    rows at all (titles, rulers, totals). `layout`, `extract` and `scope` are those of the delivered file
    (DeliveredFile): of one content under two names each has its own. `filtered_by` is the fingerprint of what was
    forgotten when the rows were last gone through; those left out by it are in `rows_left_out`, and of
    `rows_changed` something was taken out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    sha256: str
    size: int
    system: str
    entity: str
    profile: str
    delivery_id: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    encoding: str
    dialect: str
    extra_columns: tuple[str, ...] = ()
    absent_columns: tuple[str, ...] = ()
    found_columns: tuple[str, ...] = ()
    landed: str
    rejected: str | None = None
    rejected_reasons: dict[str, int] = {}
    rows_by_month: dict[date, int] = {}
    content: str = ""
    rows_left_out: dict[str, int] = {}
    lines_skipped: int = 0
    layout: str = ""
    extract: str = ""
    scope: str = ""
    filtered_by: str = ""
    rows_changed: int = 0


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, as hex."""
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def content_of(sha256: str, joined: Sequence[str]) -> str:
    """Identity of the bytes that rows are made from: the file's own, and those of the files it is joined with."""
    if not joined:
        return sha256
    return hashlib.sha256("|".join([sha256, *joined]).encode()).hexdigest()


def delivery_id_of(*, system: str, entity: str, profile: str, content: str) -> int:
    """Identity of a content as read by one profile: 60 bits, so that it fits BIGINT."""
    text = f"{system}|{entity}|{profile}|{READER_VERSION}|{content}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)


def delivery_name(delivery_id: int) -> str:
    """Name of the delivery's files: 16 hex digits."""
    return f"{delivery_id:016x}"


def read_entry(raw: Path, delivery_id: int) -> LedgerEntry | None:
    """The entry of one delivery, or None where it is not landed (or its landed file is gone)."""
    path = raw / "ledger" / f"{delivery_name(delivery_id)}.json"
    if not path.is_file():
        return None
    entry = LedgerEntry.model_validate_json(path.read_bytes())
    return entry if _files_exist(entry, raw) else None


def read_ledger(raw: Path) -> tuple[LedgerEntry, ...]:
    """All entries of the raw zone, in the order of their delivery ids."""
    paths = sorted((raw / "ledger").glob("*.json"))
    return tuple(LedgerEntry.model_validate_json(path.read_bytes()) for path in paths)


def write_entry(entry: LedgerEntry, raw: Path) -> None:
    """Writes the entry; from this moment the file counts as landed."""
    folder = raw / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{delivery_name(entry.delivery_id)}.json"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(entry.model_dump_json(indent=2), encoding="utf-8")
    os.replace(part, path)


def _files_exist(entry: LedgerEntry, raw: Path) -> bool:
    landed = (raw / entry.entity / entry.landed).is_file()
    return landed and (entry.rejected is None or (raw / "rejected" / entry.rejected).is_file())
