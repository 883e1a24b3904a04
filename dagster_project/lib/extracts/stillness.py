"""Tells files that are complete from files that are still being written."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

# A file that was touched within this time may still be written to: it is looked at twice.
FRESH_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.5


def standing_still(paths: Sequence[Path]) -> tuple[dict[Path, os.stat_result], frozenset[Path]]:
    """State of the files that stand still, and the files that grew, changed or vanished meanwhile.

    Waits once, and only where some file is fresh.
    """
    first = {path: stat for path in paths if (stat := _stat(path))}
    now = time.time()
    fresh = [path for path, stat in first.items() if now - stat.st_mtime < FRESH_SECONDS]
    if fresh:
        time.sleep(LOOK_AGAIN_SECONDS)
    moving = {path for path in fresh if not _is_same(first[path], _stat(path))}
    moving |= set(paths) - set(first)
    still = {path: stat for path, stat in first.items() if path not in moving}
    return still, frozenset(moving)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _is_same(first: os.stat_result, second: os.stat_result | None) -> bool:
    if second is None:
        return False
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
