"""On a standalone cluster of two workers Spark publishes what DuckDB publishes: every mart, row by row."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import Refreshed, content_hashes
from tests.spark.engines import differences, refreshed_on, session_on


def test_demo_company_is_equal(demo: tuple[Refreshed, Truth], master: str, tmp_path: Path) -> None:
    expected, truth = demo
    found = refreshed_on(
        "spark_session",
        expected.landing,
        tmp_path / "out",
        as_of=str(truth.as_of),
        variables=session_on(master),
    )
    assert differences(expected.live, found.live) == {}
    assert content_hashes(found) == content_hashes(expected)
    assert found.live.manifest.totals == expected.live.manifest.totals
    assert found.live.manifest.checks == expected.live.manifest.checks


def test_adventureworks_is_equal(adventureworks: Refreshed, master: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("reporting_currency: USD\n", encoding="utf-8")
    found = refreshed_on(
        "spark_session",
        adventureworks.landing,
        tmp_path / "out",
        as_of="2014-01-01",
        variables=session_on(master) | {"KAM_POLICY": str(policy)},
    )
    assert differences(adventureworks.live, found.live) == {}
    assert content_hashes(found) == content_hashes(adventureworks)
    assert found.live.manifest.totals == adventureworks.live.manifest.totals
