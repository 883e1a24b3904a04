"""Puts a folder in another's place in one step.

The standard library renames onto nothing or onto an empty folder alone, and packages for `renameat2` are
larger than this call of it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from dagster_project.lib.release.durable import sync
from dagster_project.lib.release.live import MANIFEST

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def exchange(new: Path, old: Path) -> None:
    """The two folders of one parent change names; a reader of `old` finds one or the other, whole.

    Where the file system (or the system) cannot, each file of `new` replaces its own in `old`, one after the
    other, the manifest last: no file is ever missing, but for a moment some are older than others.
    """
    if not _exchanged(new, old):
        files = sorted(path for path in new.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda file: file == new / MANIFEST):
            os.replace(path, old / path.relative_to(new))
    sync(old.parent)


def _exchanged(new: Path, old: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    said = renameat2(
        _AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), ctypes.c_uint(_RENAME_EXCHANGE)
    )
    return bool(said == 0)
