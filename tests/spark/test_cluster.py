"""On a standalone cluster of two workers Spark publishes what DuckDB publishes: every mart, row by row."""

from __future__ import annotations

import pytest

from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import Refreshed, content_hashes
from tests.spark.engines import differences, refreshed_on, session_on

Pair = tuple[Refreshed, Refreshed]


@pytest.fixture(scope="module")
def demo_pair(
    demo: tuple[Refreshed, Truth], master: str, tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    """The demo company by DuckDB and by Spark."""
    expected, truth = demo
    found = refreshed_on(
        "spark_session",
        expected.landing,
        tmp_path_factory.mktemp("demo") / "out",
        as_of=str(truth.as_of),
        variables=session_on(master),
    )
    return expected, found


@pytest.fixture(scope="module")
def adventureworks_pair(
    adventureworks: Refreshed, master: str, tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    """AdventureWorks by DuckDB and by Spark."""
    folder = tmp_path_factory.mktemp("adventureworks")
    policy = folder / "policy.yml"
    policy.write_text("reporting_currency: USD\n", encoding="utf-8")
    found = refreshed_on(
        "spark_session",
        adventureworks.landing,
        folder / "out",
        as_of="2014-01-01",
        variables=session_on(master) | {"KAM_POLICY": str(policy)},
    )
    return adventureworks, found


@pytest.fixture(scope="module", params=["demo_pair", "adventureworks_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """A company by both engines."""
    made: Pair = request.getfixturevalue(request.param)
    return made


def test_every_row_is_equal(pair: Pair) -> None:
    expected, found = pair
    assert differences(expected.live, found.live) == {}


def test_content_hashes_are_equal(pair: Pair) -> None:
    expected, found = pair
    assert content_hashes(found) == content_hashes(expected)


def test_totals_and_checks_are_equal(pair: Pair) -> None:
    expected, found = pair
    assert found.live.manifest.totals == expected.live.manifest.totals
    assert found.live.manifest.checks == expected.live.manifest.checks
