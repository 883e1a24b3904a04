"""Readers in processes of their own, which look until a file appears and then say what they saw."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def reading(*arguments: str, stop: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process of these arguments that has looked once, and said `ready`."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        try:
            assert reader.stdout is not None
            assert reader.stdout.readline().strip() == "ready", reader.communicate()[1]
            yield reader
        finally:
            stop.touch()


def told_by(reader: subprocess.Popen[str], *, seconds: int) -> dict[str, Any]:
    """What it printed at its end, as JSON, within so many seconds."""
    said, errors = reader.communicate(timeout=seconds)
    assert reader.returncode == 0, errors
    told: dict[str, Any] = json.loads(said)
    return told
