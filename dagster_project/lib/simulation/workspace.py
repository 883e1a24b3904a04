"""The warehouse of a simulation: a file of its own whose kept relations are views of the real one.

Nothing is copied, and the real file is only ever opened to be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.run_folder import SCRATCH, last_runs
from dagster_project.lib.simulation.errors import SimulationError
from dagster_project.lib.simulation.reach import PARAMETERS, Graph, Reach
from dagster_project.lib.simulation.statements import statements
from dagster_project.lib.warehouse import built_by, dbt_project
from dagster_project.lib.warehouse.run_inputs import write_policy
from dagster_project.policy import Policy
from dagster_project.settings import Settings

LIVE = "live"
# dbt writes the name of the catalog, which is that of the file, into its parse
FILE = "warehouse.duckdb"
MONTHS_SHOWN = 2  # as_of, and the month before: each looks back as far as patience does
# how many months are published, and what a run says of itself: nothing that is in a month
UNMOVED = ("history_months", "run_at", "has_live_release", "rules_hash")


@dataclass(frozen=True)
class Change:
    """A parameter of the policy with another value; texts, None where there was none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Simulated:
    """The file that holds the simulated marts, what differs, and how many models were built."""

    database: Path
    changes: tuple[Change, ...]
    models: int


def simulate(settings: Settings, policy: Policy, live: LiveRelease, *, folder: Path) -> Simulated:
    """Builds the marts of another policy in `folder` from the tables that the last refresh kept.

    Raises:
        SimulationError: the policy changes what the kept sums are made of, or they are not those of the release.
        duckdb.IOException: a run works on the warehouse.
        DbtError: a model failed.
    """
    if not built_by.is_of_these_models(settings.warehouse):
        raise SimulationError(
            f"{settings.warehouse} is absent, or was built by another version of the project; "
            "run kam refresh first"
        )
    database = folder / FILE
    graph = Graph(dbt_project.manifest())
    with duckdb.connect(str(database), config=_limits(settings, folder)) as connection:
        months = _months_looked_at(policy)
        connection.execute("create schema raw")
        said = live.manifest
        reaching = _reaching(policy, months)
        write_policy(connection, reaching, as_of=said.as_of, run_at=said.run_at, live=live)
        attach(connection, settings.warehouse)
        _check_is_of(connection, live, settings.runs)
        changes = _changes(connection)
        derived = _derived(connection)
        _refuse(graph, changes, derived)
        reach = graph.reach(
            _policy_tables(connection), [change.name for change in changes], derived
        )
        _show_kept(connection, graph, reach, months=months)
        built = statements(graph, folder=folder)
        for name in graph.in_order(reach.built):
            _build(connection, graph.nodes[name], built.get(name, ""))
    return Simulated(database, changes, len(reach.built))


def attach(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Shows the kept warehouse as the catalog `live`, to be read only."""
    path = str(warehouse.resolve()).replace("'", "''")
    connection.execute(f"attach '{path}' as {LIVE} (read_only)")


def _limits(settings: Settings, folder: Path) -> dict[str, Any]:
    return {
        "threads": settings.threads,
        "memory_limit": settings.memory_limit,
        "temp_directory": str(folder / SCRATCH),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _months_looked_at(policy: Policy) -> int:
    """as_ofs that are computed: those that stability asks for, and the same day a window before."""
    final = policy.final_tier
    patience = max(final.demotion_patience_months, final.new_customer_months)
    return max(MONTHS_SHOWN + patience, policy.window_months + 1)


def _reaching(policy: Policy, months: int) -> Policy:
    """The policy with just the history that makes windows at so many as_ofs."""
    final = policy.final_tier
    patience = max(final.demotion_patience_months, final.new_customer_months)
    return policy.model_copy(update={"history_months": months - patience})


def _check_is_of(connection: duckdb.DuckDBPyConnection, live: LiveRelease, runs: Path) -> None:
    """A run that was killed, or stopped by the gate, leaves other tables than those of the release.

    They took the place of the release's: nothing of those is left to simulate on.
    """
    row = connection.execute(f"select run_at from {LIVE}.raw.{PARAMETERS}").fetchone()
    if row is not None and row[0] == live.manifest.run_at:
        return
    last = next(iter(last_runs(runs, 1)), None)
    which = "a run that was not published"
    if last is not None and last.status not in ("published", "nothing_to_do"):
        which = f"run {last.run_id[:8]}, which was not published ({last.status}: {last.failed})"
    raise SimulationError(
        f"the warehouse holds {which}: its tables took the place of those of release "
        f"{live.release_id}\nMend what stopped it (kam status lists the runs), or put the extracts of the "
        "release back, then run kam refresh and simulate."
    )


def _policy_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables that the policy was written into: before anything is shown, no others are there."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'raw' order by table_name"
    ).fetchall()
    return [str(name) for (name,) in rows]


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(f"describe {relation}").fetchall()]


def _changes(connection: duckdb.DuckDBPyConnection) -> tuple[Change, ...]:
    """Parameters that differ from those of the kept tables."""
    names = [name for name in _columns(connection, f"raw.{PARAMETERS}") if name not in UNMOVED]
    listed = ", ".join(f"{name}::varchar" for name in names)
    before, after = (
        connection.execute(f"select {listed} from {relation}").fetchall()[0]
        for relation in (f"{LIVE}.raw.{PARAMETERS}", f"raw.{PARAMETERS}")
    )
    return tuple(
        Change(name, old, new)
        for name, old, new in zip(names, before, after, strict=True)
        if old != new
    )


def _derived(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Columns that the staging model of the parameters computes from others."""
    staged = _columns(connection, f"{LIVE}.staging.stg_run__parameters")
    given = set(_columns(connection, f"raw.{PARAMETERS}"))
    return [name for name in staged if name not in given]


def _refuse(graph: Graph, changes: Sequence[Change], derived: Sequence[str]) -> None:
    refused = [
        f"{change.name} ({change.before} -> {change.after})"
        for change in changes
        if graph.reads_lines_again(graph.affected(graph.readers([change.name], derived)))
    ]
    if refused:
        raise SimulationError(
            f"{', '.join(refused)}: applied to each invoice line, and a simulation starts from their kept sums\n"
            "Leave it as it is to simulate the rest, or refresh into another folder: "
            "kam refresh --policy FILE --out ANOTHER."
        )


def _show_kept(
    connection: duckdb.DuckDBPyConnection, graph: Graph, reach: Reach, *, months: int
) -> None:
    """Views of what is read as it is kept; of what is kept per as_of, the last months only."""
    first = f"(select year(as_of) * 12 + month(as_of) - {months} from raw.{PARAMETERS})"
    written = {f"raw.{name}" for name in _policy_tables(connection)}
    for name in sorted(reach.kept):
        node = graph.nodes.get(name) or graph.sources[name]
        relation = (
            f"{node['schema']}.{node['alias'] if name in graph.nodes else node['identifier']}"
        )
        if relation in written:
            continue
        dated = "as_of_index" in _columns(connection, f"{LIVE}.{relation}")
        connection.execute(f"create schema if not exists {node['schema']}")
        connection.execute(
            f"create view {relation} as select * from {LIVE}.{relation}"
            + (f" where as_of_index > {first}" if dated else "")
        )


def _build(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any], sql: str) -> None:
    """A model by its compiled SQL, a seed from the project's file, typed as the kept one."""
    relation = f"{node['schema']}.{node['alias']}"
    connection.execute(f"create schema if not exists {node['schema']}")
    kind = "view" if node["config"]["materialized"] == "view" else "table"
    if node["resource_type"] == "seed":
        path = str(dbt_project.PROJECT / node["original_file_path"]).replace("'", "''")
        types = connection.execute(f"describe {LIVE}.{relation}").fetchall()
        columns = ", ".join(f"{column}::{kept} as {column}" for column, kept, *_ in types)
        sql = f"select {columns} from read_csv('{path}', header = true, all_varchar = true)"
    connection.execute(f"create {kind} {relation} as {sql}")
