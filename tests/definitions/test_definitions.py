"""The graph as Dagster sees it: whole, named by its floors, checked, and run by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.release.marts import read_marts
from dagster_project.lib.warehouse.dbt_project import parsed_folder

FLOORS = {"sources", "seeds", "staging", "intermediate", "marts", "quality", "exports"}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[dg.AssetKey, dg.AssetSpec]:
    """Every asset of the graph by its key."""
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def checks(definitions: dg.Definitions) -> list[dg.AssetCheckSpec]:
    """Every asset check of the graph."""
    graph = definitions.resolve_asset_graph()
    return [graph.get_check_spec(key) for key in graph.asset_check_keys]


def test_definitions_can_be_loaded_and_run(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    assert definitions.resolve_job_def("refresh").name == "refresh"


def test_every_entity_has_its_asset(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    entities = {dg.AssetKey(["sources", entity]) for entity in load_entities()}
    assert entities <= specs.keys()


def test_every_mart_is_an_asset_and_every_mart_has_checks(
    specs: dict[dg.AssetKey, dg.AssetSpec], checks: list[dg.AssetCheckSpec]
) -> None:
    marts = {dg.AssetKey(["marts", m.name]) for m in read_marts(parsed_folder() / "manifest.json")}
    assert marts == {key for key in specs if key.path[0] == "marts"}
    assert marts <= {check.asset_key for check in checks}


def test_prefixes_and_groups_are_the_floors(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert key.path[0] in FLOORS, key
        assert spec.group_name == key.path[0], key
    assert {key.path[0] for key in specs} == FLOORS


def test_assets_say_what_they_are(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert spec.description, f"{key.to_user_string()} has no description"


def test_checks_that_can_stop_a_release_block_what_lies_behind_them(
    definitions: dg.Definitions, checks: list[dg.AssetCheckSpec]
) -> None:
    nodes = json.loads((parsed_folder() / "manifest.json").read_bytes())["nodes"]
    warns = {
        node["name"]
        for node in nodes.values()
        if node["resource_type"] == "test" and node["config"]["severity"].lower() == "warn"
    }
    errors = {
        node["name"]
        for node in nodes.values()
        if node["resource_type"] == "test" and node["config"]["severity"].lower() == "error"
    }
    by_name = {check.name: check for check in checks}
    assert (warns | errors) - by_name.keys() == set(), "each data test of dbt is a check"
    assert [name for name in errors if not by_name[name].blocking] == []
    assert [name for name in warns if by_name[name].blocking] == []


def test_each_rule_of_the_gate_is_a_check(checks: list[dg.AssetCheckSpec]) -> None:
    from dagster_project.lib.expectations.suites import load_suites

    found = {(check.asset_key.path[-1], check.name): check for check in checks}
    for suite in load_suites():
        for told in suite.checks:
            assert found[suite.asset, told.name].blocking == (told.severity == "error"), told.name
    for tier in ("revenue", "gross_margin", "raw_tier", "final_tier", "posture"):
        assert found["account_tiers", f"account_tiers_{tier}_recomputed"].blocking


def test_marts_go_stale(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert (spec.freshness_policy is not None) == (key.path[0] == "marts"), key


def test_job_holds_the_whole_graph(
    definitions: dg.Definitions, specs: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    job = definitions.resolve_job_def("refresh")
    assert set(job.asset_layer.selected_asset_keys) == {
        key
        for key, spec in specs.items()
        if definitions.resolve_asset_graph().get(key).is_executable
    }


def test_refresh_runs_daily(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("daily_refresh")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "UTC")
    assert schedule.job_name == "refresh"


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A landing folder with one extract, and the settings that name it."""
    folder = tmp_path / "landing"
    (folder / "crm").mkdir(parents=True)
    (folder / "crm" / "accounts.csv").write_text("account_id,account_name\n1,Alder\n")
    monkeypatch.setenv("KAM_LANDING", str(folder))
    yield folder


def test_sensor_asks_for_a_run_when_the_landing_folder_has_changed(
    definitions: dg.Definitions, landing: Path
) -> None:
    sensor = definitions.resolve_sensor_def("landing_sensor")

    def look(cursor: str | None) -> tuple[int, str | None, str]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, definitions=definitions
            )
            told = sensor.evaluate_tick(context)
        return len(told.run_requests or []), told.cursor, told.skip_message or ""

    asked, cursor, _ = look(None)
    assert asked == 1
    asked, after, reason = look(cursor)
    assert (asked, after or cursor) == (0, cursor)
    assert "nothing new" in reason
    (landing / "crm" / "accounts.csv").write_text("account_id,account_name\n1,Alder\n2,Birch\n")
    asked, changed, _ = look(cursor)
    assert asked == 1
    assert changed != cursor


def test_sensor_says_why_it_asks_for_nothing(
    definitions: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAM_LANDING", str(tmp_path / "absent"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=definitions)
        told = definitions.resolve_sensor_def("landing_sensor").evaluate_tick(context)
    assert not told.run_requests
    assert "absent" in (told.skip_message or "")
