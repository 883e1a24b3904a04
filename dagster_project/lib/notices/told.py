"""What was told already, so that nothing is told twice: `notices.json` in the output folder.

It is written before a message goes out: a run that is killed between the two stays silent rather than that a
later one repeats it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, Field, ValidationError

FILE = "notices.json"
KEPT_RUNS = 200


class Told(BaseModel):
    """The last release that was told, the runs whose failure was, and whether the last word was a failure."""

    release_id: str | None = None
    failed_runs: list[str] = Field(default_factory=list)
    last_was_failure: bool = False


def read_told(out: Path) -> Told:
    """What the file says; a damaged one says nothing."""
    try:
        return Told.model_validate_json((out / FILE).read_bytes())
    except (OSError, ValidationError):
        return Told()


def claim_release(out: Path, release_id: str) -> Told | None:
    """Takes the telling of a release; what was told before, or None where it is told already."""
    with _held(out):
        told = read_told(out)
        if told.release_id == release_id:
            return None
        _write(out, told.model_copy(update={"release_id": release_id, "last_was_failure": False}))
        return told


def claim_failure(out: Path, run_id: str) -> bool:
    """Takes the telling of a failed run; False where it is told already."""
    with _held(out):
        told = read_told(out)
        if run_id in told.failed_runs:
            return False
        runs = [*told.failed_runs, run_id][-KEPT_RUNS:]
        _write(out, told.model_copy(update={"failed_runs": runs, "last_was_failure": True}))
        return True


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """One teller at a time: a run and the web UI's sensor may see the same failure."""
    with FileLock(out / f".{FILE}.lock", timeout=10):
        yield


def _write(out: Path, told: Told) -> None:
    beside = out / f".{FILE}.part"
    beside.write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
    os.replace(beside, out / FILE)
