"""The record of what was forgotten: marks by which it is known again, and nothing that names it.

A mark is an HMAC with a key of this output folder: the digests that advertising platforms hold cannot be
compared with it. Who has the file can still try a name; so it is the user's alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dagster_project.lib.release.durable import part_of, sync

FILE = "forgotten.json"
MARK_CHARACTERS = 32

# What a mark is of: a mailbox; a domain; `system:contact_id`; `system:entity:id` of an account's member; a name
# by which governance refers to it; the digest of an address; a number that nobody else had.
Kind = Literal["email", "domain", "contact", "account", "reference", "digest", "phone"]


class RecordError(Exception):
    """The record cannot be read; the text names the file and the remedy."""


class Request(BaseModel):
    """What was asked for on a day: its kind, and the mark of what was named."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["email", "domain", "account"]
    mark: str
    on: date


class ForgottenRecord(BaseModel):
    """The whole file; `is_unfinished` until every place was gone through."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    is_unfinished: bool = False
    requests: tuple[Request, ...] = ()
    marks: dict[Kind, tuple[str, ...]] = {}

    @property
    def fingerprint(self) -> str:
        """Names what is forgotten; empty where nothing is."""
        if not self.marks:
            return ""
        said = "|".join(f"{kind}:{','.join(self.marks[kind])}" for kind in sorted(self.marks))
        return hashlib.sha256(f"{self.key}|{said}".encode()).hexdigest()[:16]

    def mark(self, kind: Kind, text: str) -> str:
        """The mark of a text in its normal form."""
        said = f"{kind}|{text}".encode()
        return hmac.new(self.key.encode(), said, hashlib.sha256).hexdigest()[:MARK_CHARACTERS]

    def extended(self, texts: Mapping[Kind, Iterable[str]]) -> ForgottenRecord:
        """The record with the marks of these texts too."""
        marks: dict[Kind, tuple[str, ...]] = dict(self.marks)
        for kind, found in texts.items():
            known = {*marks.get(kind, ()), *(self.mark(kind, text) for text in found)}
            if known:
                marks[kind] = tuple(sorted(known))
        return self.model_copy(update={"marks": marks})

    def requested(self, kind: Literal["email", "domain", "account"], text: str) -> ForgottenRecord:
        """The record with one more request, unless the same was made before."""
        mark = self.mark(kind, text)
        if any((known.kind, known.mark) == (kind, mark) for known in self.requests):
            return self
        asked = Request(kind=kind, mark=mark, on=date.today())
        return self.model_copy(update={"requests": (*self.requests, asked)})


def read_record(raw: Path) -> ForgottenRecord:
    """The record of a raw zone; an empty one, with a key of its own, where nothing was forgotten yet.

    Raises:
        RecordError: the file is damaged.
    """
    path = raw / FILE
    try:
        return ForgottenRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ForgottenRecord(key=secrets.token_hex(32))
    except (OSError, ValidationError):
        raise RecordError(
            f"{path}: not readable; it says who was forgotten, so nothing is read without it\n"
            "Put it back from a backup, or remove it and run kam forget again for each of them."
        ) from None


def write_record(record: ForgottenRecord, raw: Path) -> None:
    """Replaces the file; it is on the disk when this returns."""
    raw.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = raw / FILE
    part = part_of(path)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(record.model_dump_json(indent=2) + "\n")
    sync(part)
    os.replace(part, path)
    sync(raw)
