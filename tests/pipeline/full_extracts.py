"""Full extracts without a profile of their own: `<entity>_full_<number>.csv` is the full extract of that number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.extracts.discover import Discovery, find_deliveries

NAMED = re.compile(r"_full_(\d+)\.")


def find_full_extracts(landing: Path, **how: Any) -> Discovery:
    """What find_deliveries finds, and of which full extract each file is a part, as a profile would say."""
    found = find_deliveries(landing, **how)
    files = [
        replace(file, extract=match[1]) if (match := NAMED.search(file.path.name)) else file
        for file in found.files
    ]
    return replace(found, files=tuple(files))


@contextmanager
def full_extracts_by_name() -> Iterator[None]:
    """While it lasts, refreshes in this process know full extracts by the names of their files."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("landing", "nothing_to_do"):
            patch.setattr(f"dagster_project.lib.{module}.find_deliveries", find_full_extracts)
        yield
