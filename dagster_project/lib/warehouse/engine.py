"""Where dbt computes: DuckDB's file, or Spark with DuckDB's views of its tables for the later steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dagster_project.lib.warehouse import dbt_project
from dagster_project.lib.warehouse.dbt_checks import Queries
from dagster_project.lib.warehouse.run_inputs import open_warehouse
from dagster_project.settings import Settings


def build(
    selection: Sequence[str], *, settings: Settings, run_folder: Path, full: bool
) -> list[dbt_project.NodeResult]:
    """One `dbt build` on the engine of the settings; the warehouse then shows what was built.

    `full` builds incremental models anew, as Spark always does.

    Raises:
        DbtError: dbt did not run at all, or a model failed.
    """
    if settings.on_spark:
        return _build_on_spark(selection, settings=settings, run_folder=run_folder)
    return _build(selection, settings=settings, run_folder=run_folder, full=full)


def hand_in(settings: Settings, *names: str) -> None:
    """Shows the relations of the warehouse's schema `raw`, or those named, to an engine of its own."""
    if not settings.on_spark:
        return
    from dagster_project.lib.spark import tables
    from dagster_project.lib.spark.connection import spark_connection

    sources = [str(source["name"]) for source in dbt_project.manifest()["sources"].values()]
    with spark_connection(settings) as spark, open_warehouse(settings) as duck:
        tables.hand_in(
            spark,
            duck,
            names=names or sources,
            raw=settings.raw.resolve(),
            folder=settings.hand_over.resolve(),
        )


@contextmanager
def queries(settings: Settings) -> Iterator[Queries]:
    """A connection to what dbt built, for queries in the engine's own SQL."""
    if not settings.on_spark:
        with open_warehouse(settings) as connection:
            yield connection
        return
    # pyspark takes a second to import, and is an extra
    from dagster_project.lib.spark.connection import spark_connection

    with spark_connection(settings) as spark:
        yield spark


def _build(
    selection: Sequence[str], *, settings: Settings, run_folder: Path, full: bool
) -> list[dbt_project.NodeResult]:
    return dbt_project.build(
        selection,
        warehouse=settings.warehouse.resolve(),
        run_folder=run_folder,
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        full=full,
        target=settings.engine,
    )


def _build_on_spark(
    selection: Sequence[str], *, settings: Settings, run_folder: Path
) -> list[dbt_project.NodeResult]:
    from dagster_project.lib.spark.connection import assert_exact, spark_connection
    from dagster_project.lib.spark.tables import hand_over

    with spark_connection(settings) as spark:
        assert_exact(spark)
        results = _build(selection, settings=settings, run_folder=run_folder, full=True)
        nodes = dbt_project.manifest()["nodes"]
        built = [
            nodes[result.unique_id]
            for result in results
            if not result.is_test and result.status == "success"
        ]
        with open_warehouse(settings) as duck:
            hand_over(spark, duck, built=built, folder=settings.hand_over.resolve())
    return results
