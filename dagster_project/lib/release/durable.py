"""Files that are there whole or not at all, also after a power cut.

The standard library has `os.replace` and no more; packages for atomic writes sync no folders.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Waits until a file's bytes, or a folder's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Syncs every file and folder below, then the folder itself."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


def text_beside(path: Path, text: str) -> Path:
    """Writes the text to a hidden file beside `path`, ready to replace it."""
    part = part_of(path)
    part.write_text(text, encoding="utf-8")
    sync(part)
    return part


def copy_beside(source: Path, target: Path) -> Path:
    """Copies `source` to a hidden file beside `target`, with its time, ready to replace it."""
    part = part_of(target)
    # The time tells a later run whether the copy is still that of the live release.
    shutil.copy2(source, part)
    sync(part)
    return part


def part_of(path: Path) -> Path:
    """The hidden name of a file until it is whole."""
    return path.with_name(f".{path.name}.part")
