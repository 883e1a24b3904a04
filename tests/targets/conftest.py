"""A PostgreSQL server for the session, a database for each test, and releases to send there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.pipeline.conftest import golden, second_golden
from tests.pipeline.pipeline_runs import Refreshed
from tests.targets.releases import Releases
from tests.targets.servers import Server, database, postgres_server

__all__ = ["golden", "second_golden"]
NUMBERS = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that nothing else knows."""
    with postgres_server() as started:
        yield started


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """An empty database."""
    with database(server, f"test_{next(NUMBERS)}") as found:
        yield found


@pytest.fixture
def releases(golden: Refreshed, tmp_path: Path) -> Releases:
    """Releases of the golden company's marts, to be changed and published."""
    return Releases(golden.live, tmp_path / "published")
