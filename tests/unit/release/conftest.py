"""Releases made of a small warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.publish import publish
from tests.unit.release.release_making import Drafted, drafted


@pytest.fixture
def make_draft() -> Callable[[Path, int], Drafted]:
    return drafted


@pytest.fixture
def release() -> Callable[..., LiveRelease]:
    """Publishes a release whose only account has the given revenue."""

    def make(published: Path, revenue: int, keep: int = 30) -> LiveRelease:
        draft, manifest = drafted(published, revenue)
        return publish(draft, manifest, keep_releases=keep)

    return make
