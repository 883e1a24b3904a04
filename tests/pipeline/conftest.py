"""Companies refreshed once for all tests of a process.

A refresh takes seconds, so tests read what these fixtures made, and one that changes anything works on a copy.
Tests that share a company carry the same `xdist_group`, so that one process alone refreshes it.
"""

from __future__ import annotations

import os

import pytest

from dagster_project.demo import generate
from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import ADVENTUREWORKS, GOLDEN, Refreshed, published, refreshed


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Refreshed, Truth]:
    """The demo company, and what must come out of it."""
    folder = tmp_path_factory.mktemp("demo_company")
    truth = generate(folder / "landing")
    published(refreshed(folder / "landing", folder / "out", as_of=truth.as_of))
    return Refreshed(folder / "landing", folder / "out"), truth


@pytest.fixture(scope="session")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """AdventureWorks at the end of 2013; its files may be absent outside of CI only."""
    if not ADVENTUREWORKS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{ADVENTUREWORKS} is absent: lay the shared data beside the repository")
        pytest.skip(f"{ADVENTUREWORKS} is absent")
    out = tmp_path_factory.mktemp("adventureworks") / "out"
    published(
        refreshed(ADVENTUREWORKS, out, as_of="2014-01-01", policy="reporting_currency: USD\n")
    )
    return Refreshed(ADVENTUREWORKS, out)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The company of twelve accounts that was worked out by hand."""
    out = tmp_path_factory.mktemp("golden") / "out"
    published(refreshed(GOLDEN / "landing", out, as_of="2026-01-01"))
    return Refreshed(GOLDEN / "landing", out)
