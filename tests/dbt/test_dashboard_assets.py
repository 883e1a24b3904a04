"""The Superset assets against the marts' contracts: every name that they use exists, and every query runs.

The marts are made empty from dbt's manifest, so a renamed column shows here and not in a browser.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from dagster_project.lib.dashboard.bundle import DATABASE, METADATA, read_assets
from dagster_project.lib.extracts.quoting import identifier
from dagster_project.lib.warehouse.dbt_project import manifest

Assets = dict[str, dict[str, Any]]
CHARTS_SHOW = ("pareto_curve", "tier_migration", "owner_capacity", "service_balance")
CHARTS_SHOW += ("portfolio_concentration", "base_at_risk", "account_tiers")


def marts() -> dict[str, dict[str, str]]:
    """Columns and their types of each mart."""
    nodes = manifest()["nodes"].values()
    return {
        node["name"]: {name: column["data_type"] for name, column in node["columns"].items()}
        for node in nodes
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    }


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with every mart, without rows."""
    with duckdb.connect() as connection:
        for mart, columns in marts().items():
            typed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {identifier(mart)} ({typed})")
        yield connection


def of_kind(assets: Assets, kind: str) -> dict[str, dict[str, Any]]:
    """Assets of one folder by their uuid."""
    found = {a["uuid"]: a for path, a in assets.items() if path.startswith(f"{kind}/")}
    assert found, f"no asset lies in {kind}/"
    return found


def source_of(dataset: dict[str, Any]) -> str:
    sql = dataset.get("sql")
    return f"({sql}) as virtual" if sql else identifier(dataset["table_name"])


def breaches(assets: Assets, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What does not fit, one line each."""
    wrong: list[str] = []
    databases, datasets = of_kind(assets, "databases"), of_kind(assets, "datasets")
    for dataset in datasets.values():
        if dataset["database_uuid"] not in databases:
            wrong.append(f"dataset {dataset['table_name']}: its database is none of databases/")
        wrong += dataset_breaches(dataset, connection)
    charts = of_kind(assets, "charts")
    for chart in charts.values():
        if chart["dataset_uuid"] in datasets:
            wrong += chart_breaches(chart, datasets[chart["dataset_uuid"]], connection)
        else:
            wrong.append(f"chart {chart['slice_name']}: its dataset is none of datasets/")
    for dashboard in of_kind(assets, "dashboards").values():
        wrong += layout_breaches(dashboard["position"], charts)
    return wrong


def dataset_breaches(dataset: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> list[str]:
    name, source = dataset["table_name"], source_of(dataset)
    try:
        rows = connection.execute(f"describe select * from {source}").fetchall()
    except duckdb.Error as error:
        return [f"dataset {name}: {error}"]
    kinds = {row[0]: row[1] for row in rows}
    wrong = []
    for column in dataset["columns"]:
        kind = kinds.get(column["column_name"])
        if kind is None:
            wrong.append(f"dataset {name}: no column {column['column_name']}")
        elif column["is_dttm"] != kind.startswith(("DATE", "TIMESTAMP")):
            wrong.append(f"dataset {name}: is_dttm of {column['column_name']} is wrong for {kind}")
    if dataset.get("main_dttm_col", "month") not in {*kinds, "month"}:
        wrong.append(f"dataset {name}: no column {dataset['main_dttm_col']}")
    for metric in dataset["metrics"]:
        try:
            connection.execute(f"select {metric['expression']} from {source}")
        except duckdb.Error as error:
            wrong.append(f"dataset {name}: metric {metric['metric_name']}: {error}")
    return wrong


def chart_breaches(
    chart: dict[str, Any], dataset: dict[str, Any], connection: duckdb.DuckDBPyConnection
) -> list[str]:
    params, name = chart["params"], chart["slice_name"]
    columns = {column["column_name"] for column in dataset["columns"]}
    metrics = {metric["metric_name"] for metric in dataset["metrics"]}
    filters = params["adhoc_filters"]
    used = [params.get("x_axis"), *(one.get("subject") for one in filters)]
    for key in ("groupby", "groupbyRows", "groupbyColumns", "all_columns"):
        used += params.get(key, [])
    used += [json.loads(text)[0] for text in params.get("order_by_cols", [])]
    asked = [
        params.get("metric"),
        params.get("timeseries_limit_metric"),
        *params.get("metrics", []),
    ]
    wrong = [f"chart {name}: no column {one}" for one in used if one and one not in columns]
    wrong += [f"chart {name}: no metric {one}" for one in asked if one and one not in metrics]
    wrong += [
        f"chart {name}: column_config of {one}, which it does not show"
        for one in params.get("column_config", {})
        if one not in {*used, *asked}
    ]
    if chart["viz_type"] != params["viz_type"]:
        wrong.append(f"chart {name}: viz_type differs from that of params")
    for one in filters:
        if one["expressionType"] == "SQL":
            try:
                connection.execute(
                    f"select 1 from {source_of(dataset)} where {one['sqlExpression']}"
                )
            except duckdb.Error as error:
                wrong.append(f"chart {name}: filter {one['sqlExpression']}: {error}")
    return wrong


def layout_breaches(position: dict[str, Any], charts: dict[str, dict[str, Any]]) -> list[str]:
    """Every chart is on the dashboard once, and what the layout names is there."""
    entries = {key: entry for key, entry in position.items() if isinstance(entry, dict)}
    shown = [entry["meta"]["uuid"] for entry in entries.values() if entry["type"] == "CHART"]
    wrong = [f"layout: a chart {one} is none of charts/" for one in shown if one not in charts]
    wrong += [
        f"chart {chart['slice_name']}: on the dashboard {shown.count(one)} times, not once"
        for one, chart in charts.items()
        if shown.count(one) != 1
    ]
    named = [child for entry in entries.values() for child in entry.get("children", [])]
    wrong += [f"layout: {child} is named, but not there" for child in named if child not in entries]
    for row in (entry for entry in entries.values() if entry["type"] == "ROW"):
        width = sum(entries[child]["meta"]["width"] for child in row["children"])
        if width != 12:
            wrong.append(f"layout: {row['id']} is {width} of 12 columns wide")
    return wrong


def test_the_assets_fit_the_marts(empty: duckdb.DuckDBPyConnection) -> None:
    found = breaches(read_assets(), empty)
    assert found == [], "\n".join(found)


def test_the_dashboard_shows_what_it_is_for(empty: duckdb.DuckDBPyConnection) -> None:
    datasets = of_kind(read_assets(), "datasets").values()
    texts = " ".join(f"{d['table_name']} {d.get('sql') or ''}" for d in datasets)
    assert [mart for mart in CHARTS_SHOW if mart not in texts] == []


@pytest.mark.parametrize(
    ("path", "keys", "value", "told"),
    [
        ("datasets/Account_tiering/pareto_curve.yaml", ("table_name",), "pareto", "pareto"),
        (
            "datasets/Account_tiering/pareto_curve.yaml",
            ("columns", 0, "column_name"),
            "schema_name",
            "no column schema_name",
        ),
        (
            "datasets/Account_tiering/pareto_curve.yaml",
            ("metrics", 0, "expression"),
            "max(total_share)",
            "metric cumulative_share",
        ),
        ("datasets/Account_tiering/tier_moves.yaml", ("columns", 1, "is_dttm"), False, "is_dttm"),
        ("datasets/Account_tiering/tier_moves.yaml", ("database_uuid",), "x", "its database"),
        ("charts/pareto.yaml", ("params", "x_axis"), "rank", "no column rank"),
        ("charts/pareto.yaml", ("params", "metrics"), ["share"], "no metric share"),
        ("charts/pareto.yaml", ("dataset_uuid",), "x", "its dataset"),
        ("charts/pareto.yaml", ("uuid",), "x", "0 times"),
        ("charts/pareto.yaml", ("viz_type",), "pie", "viz_type differs"),
        ("charts/accounts.yaml", ("params", "metric"), "count", "no metric count"),
        (
            "charts/accounts.yaml",
            ("params", "adhoc_filters", 0, "sqlExpression"),
            "not is_hidden",
            "filter not is_hidden",
        ),
        ("charts/tiers.yaml", ("params", "column_config"), {"gone": {}}, "gone"),
        (
            "dashboards/account_tiering.yaml",
            ("position", "CHART-pareto", "meta", "width"),
            5,
            "11 of 12",
        ),
    ],
)
def test_a_broken_asset_is_told(
    empty: duckdb.DuckDBPyConnection, path: str, keys: tuple[Any, ...], value: Any, told: str
) -> None:
    assets = copy.deepcopy(read_assets())
    place: Any = assets[path]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    found = breaches(assets, empty)
    assert any(told in line for line in found), found


def test_metadata_and_database_are_where_the_import_looks() -> None:
    assets = read_assets()
    assert assets[METADATA]["type"] == "Dashboard"
    assert assets[DATABASE]["extra"]["engine_params"]["connect_args"] == {"read_only": True}
    assert assets[DATABASE]["allow_dml"] is False
    # -1 passes the cache by; 0 would keep the first release's figures forever
    assert assets[DATABASE]["cache_timeout"] == -1


def exposures() -> dict[str, set[str]]:
    """Marts that each exposure depends on."""
    return {
        exposure["name"]: {path.split(".")[-1] for path in exposure["depends_on"]["nodes"]}
        for exposure in manifest()["exposures"].values()
    }


def test_the_exposure_of_the_dashboard_names_the_marts_that_it_reads(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    read: set[str] = set()
    for dataset in of_kind(read_assets(), "datasets").values():
        read |= set(empty.get_table_names(dataset.get("sql") or f"from {dataset['table_name']}"))
    assert exposures()["superset_dashboard"] == read


def test_the_exposure_of_the_metrics_names_the_models_that_they_are_made_of() -> None:
    models = {
        path.split(".")[-1]
        for model in manifest()["semantic_models"].values()
        for path in model["depends_on"]["nodes"]
    }
    assert exposures()["semantic_metrics"] == models | {"calendar_days"}


def test_the_exposure_of_the_published_marts_names_them_all() -> None:
    absent = set(marts()) - exposures()["published_database"]
    assert not absent, f"add to published_database in _marts__exposures.yml: {sorted(absent)}"
