"""Metrics of the semantic models, computed by MetricFlow's SQL on the published marts.

dbt's target `published` names the tables as a BI tool finds them in `marts.duckdb`. MetricFlow writes
the SQL and no more: rows come from a read-only connection of our own, because its client takes
them through agate, which makes numbers of what looks like one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.warehouse.dbt_project import PUBLISHED, parsed_folder

MANIFEST = "semantic_manifest.json"
CATALOG = "marts"  # dbt names a database by its file: marts.duckdb


class MetricsError(Exception):
    """A metric cannot be computed; the text says why and what to do."""


@dataclass(frozen=True)
class MetricRows:
    """The answer to a query: names of the columns, rows in the order asked for, and the SQL."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    sql: str

    def dictionaries(self) -> list[dict[str, Any]]:
        """One dictionary per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query_metrics(
    database: Path,
    metrics: Sequence[str],
    group_by: Sequence[str] = (),
    *,
    where: Sequence[str] = (),
) -> MetricRows:
    """The metrics by the dimensions, ordered by them, from a `marts.duckdb`.

    Args:
        database: the published database, or that of a release.
        metrics: names of `_marts__metrics.yml`.
        group_by: names as MetricFlow writes them: `metric_time__month`, `account__final_tier`.
        where: filters as MetricFlow writes them: `{{ Dimension('account__country') }} = 'FR'`.

    Raises:
        MetricsError: MetricFlow is not installed, a name is unknown, or nothing is published.
    """
    sql = metrics_sql(metrics, group_by, where=where)
    if not database.is_file():
        raise MetricsError(f"{database}: nothing is published there; run kam refresh")
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(database)} as {CATALOG} (read_only)")
        cursor = connection.execute(sql)
        columns = tuple(str(column[0]) for column in cursor.description or ())
        return MetricRows(columns, cursor.fetchall(), sql)


def metrics_sql(
    metrics: Sequence[str], group_by: Sequence[str] = (), *, where: Sequence[str] = ()
) -> str:
    """The SQL that MetricFlow writes for it, in DuckDB's words.

    Raises:
        MetricsError: MetricFlow is not installed, or a name is unknown.
    """
    engine = _engine()
    # metricflow takes seconds to import, and is an extra
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
    from metricflow_semantics.errors.error_classes import MetricFlowException

    request = MetricFlowQueryRequest.create(
        metric_names=list(metrics),
        group_by_names=list(group_by),
        where_constraints=list(where) or None,
        order_by_names=list(group_by),
    )
    try:
        return str(engine.explain(request).sql_statement.sql)
    except MetricFlowException as error:
        reason = " ".join(str(error).split())
        raise MetricsError(f"{', '.join(metrics)} by {', '.join(group_by)}: {reason}") from None


@cache
def _engine() -> Any:
    """MetricFlow's engine over the semantic manifest, with a client that only says which SQL it speaks."""
    try:
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
        from metricflow_semantics.model.dbt_manifest_parser import (
            parse_manifest_from_dbt_generated_manifest,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
    except ModuleNotFoundError as error:
        raise MetricsError(
            f"metrics need the extra `metrics` ({error.name} is missing); run "
            "pip install 'account-tiering[metrics]'"
        ) from None

    text = (parsed_folder(PUBLISHED) / MANIFEST).read_text(encoding="utf-8")
    dialect: Any = SimpleNamespace(
        sql_engine_type=SqlEngine.DUCKDB, sql_plan_renderer=DuckDbSqlPlanRenderer()
    )
    lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(text))
    return MetricFlowEngine(semantic_manifest_lookup=lookup, sql_client=dialect)


def metric_names() -> tuple[str, ...]:
    """Names of all metrics, sorted."""
    text = (parsed_folder(PUBLISHED) / MANIFEST).read_text(encoding="utf-8")
    return tuple(sorted(metric["name"] for metric in json.loads(text)["metrics"]))
