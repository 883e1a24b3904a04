"""dbt inside this process: the project is parsed once and kept by the hash of its files.

dbt's own command line would import and parse again at each call; measured on the demo company, a parse is
about half of a bare `dbt build`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_project.settings import set_environment

PROJECT = Path(__file__).parents[3] / "dbt"
PUBLISHED = "published"
DUCKDB_TARGETS = ("duckdb", PUBLISHED)
KEPT_PARSES = 6  # of two states of the project: DuckDB's, Spark's, and that of the published marts

logger = logging.getLogger(__name__)


class DbtError(Exception):
    """dbt could not parse or run the project; the message is dbt's own, with the node's name."""


@dataclass(frozen=True)
class NodeResult:
    """One node that dbt ran: its status, seconds, failing rows (tests), message and compiled query."""

    unique_id: str
    status: str
    seconds: float
    failures: int
    message: str
    query: str = ""

    @property
    def is_test(self) -> bool:
        """Whether the node is a data test or a unit test."""
        return self.unique_id.startswith(("test.", "unit_test."))


@cache
def project_hash(target: str = "duckdb") -> str:
    """Hash of the project's files and of the versions that parse them for the target's adapter."""
    return _hash_of(_project_files(), target)


@cache
def models_hash() -> str:
    """The same without the rows of the seeds, which users edit: what the SQL of the models is."""
    return _hash_of((path for path in _project_files() if path.suffix != ".csv"), "duckdb")


def _hash_of(files: Iterable[Path], target: str) -> str:
    digest = hashlib.sha256()
    adapter = "dbt-duckdb" if target in DUCKDB_TARGETS else "dbt-spark"
    for package in ("dbt-core", adapter):
        digest.update(f"{package}={version(package)};".encode())
    if target == PUBLISHED:
        digest.update(PUBLISHED.encode())
    for path in files:
        digest.update(path.relative_to(PROJECT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def parsed_folder(target: str = "duckdb") -> Path:
    """The folder with manifest.json and partial_parse.msgpack of the project as it is now.

    Nodes and names are the same for each target of the profile; the macros that they call are the adapter's.
    """
    folder = PROJECT / "target" / project_hash(target)
    if not (folder / "manifest.json").is_file():
        _parse_into(folder, target)
    return folder


@cache
def manifest() -> dict[str, Any]:
    """dbt's manifest.json as a dictionary."""
    loaded: dict[str, Any] = json.loads((parsed_folder() / "manifest.json").read_bytes())
    return loaded


def parsed_manifest(target: str = "duckdb") -> Any:
    """A copy of dbt's own manifest, for one call of `dbtRunner`, which then does not parse."""
    from dbt.contracts.graph.manifest import Manifest

    return Manifest.from_msgpack((parsed_folder(target) / "partial_parse.msgpack").read_bytes())


def build(
    selection: Sequence[str],
    *,
    warehouse: Path,
    run_folder: Path,
    memory_limit: str,
    threads: int,
    full: bool = False,
    target: str = "duckdb",
) -> list[NodeResult]:
    """Runs `dbt build` over the selection arguments; failing tests are results, not errors.

    `full` builds incremental models anew instead of only what changed.

    The warehouse's connections are closed afterwards, so that the file can be opened elsewhere. On another
    target than `duckdb` the warehouse is not touched: the profile says where the tables go.

    Raises:
        DbtError: dbt did not run at all, or a model failed.
    """
    arguments = ["build", "--no-write-json", *(["--full-refresh"] if full else [])]
    results = _invoke(
        [*arguments, *_common_arguments(run_folder / "dbt", target), *selection],
        warehouse=warehouse,
        run_folder=run_folder,
        memory_limit=memory_limit,
        threads=threads,
        target=target,
    )
    broken = [r for r in results if r.status == "error"]
    if broken:
        first = broken[0]
        said = str(first.message)
        if "Out of Memory" in said:
            said = f"memory_limit {memory_limit} is too little; raise it in kam.yml or KAM_MEMORY_LIMIT"
        raise DbtError(f"{first.unique_id}: {said}")
    return results


def compiled(names: Sequence[str], *, folder: Path) -> dict[str, str]:
    """The models' SQL by unique_id as DuckDB gets it in a warehouse that is empty, so for all rows anew.

    Raises:
        DbtError: dbt did not run, or a model cannot be compiled.
    """
    results = _invoke(
        [
            *("compile", "--no-write-json", "--no-inject-ephemeral-ctes"),
            *_common_arguments(folder / "dbt", "duckdb"),
            *("--indirect-selection", "empty", "--select", *names),
        ],
        warehouse=folder / "warehouse.duckdb",
        run_folder=folder,
        memory_limit="1GB",
        threads=1,
        target="duckdb",
    )
    return {result.unique_id: result.query for result in results}


def _invoke(
    arguments: Sequence[str],
    *,
    warehouse: Path,
    run_folder: Path,
    memory_limit: str,
    threads: int,
    target: str,
) -> list[NodeResult]:
    # dbt takes seconds to import
    from dbt.cli.main import dbtRunner

    from dagster_project.lib.warehouse.dbt_events import drop_unread_events

    drop_unread_events()
    scratch = run_folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    set_environment(
        {
            "KAM_WAREHOUSE": str(warehouse),
            "KAM_SCRATCH": str(scratch),
            "KAM_MEMORY_LIMIT": memory_limit,
            "KAM_THREADS": str(threads),
        }
    )
    try:
        outcome = dbtRunner(manifest=parsed_manifest(target)).invoke([*arguments])
    finally:
        if target == "duckdb":
            _close_duckdb()
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    if outcome.exception is not None:
        raise DbtError(str(outcome.exception) or type(outcome.exception).__name__)
    return [_node_result(result) for result in getattr(outcome.result, "results", [])]


def _node_result(result: Any) -> NodeResult:
    return NodeResult(
        unique_id=result.node.unique_id,
        status=str(result.status.value if hasattr(result.status, "value") else result.status),
        seconds=float(result.execution_time),
        failures=int(result.failures or 0),
        message=str(result.message or ""),
        query=str(getattr(result.node, "compiled_code", None) or ""),
    )


def _close_duckdb() -> None:
    """Closes the DuckDB environment that dbt-duckdb keeps for the life of the process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager._ENV.close()
    manager.close_all_connections()


def _parse_into(folder: Path, target: str) -> None:
    """Parses into a new folder which takes its place by one rename, so that two processes cannot mix."""
    from dbt.cli.main import dbtRunner

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".parse-") as part:
        outcome = dbtRunner().invoke(["parse", *_common_arguments(Path(part) / "parsed", target)])
        if not outcome.success:
            raise DbtError(f"dbt cannot parse the project: {outcome.exception}")
        try:
            os.replace(Path(part) / "parsed", folder)
        except OSError:
            if not (folder / "manifest.json").is_file():
                raise
    _sweep_old_parses(folder)


def _sweep_old_parses(current: Path) -> None:
    others = sorted(
        (path for path in current.parent.iterdir() if path.is_dir() and path != current),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in others[KEPT_PARSES - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _common_arguments(folder: Path, target: str) -> list[str]:
    return [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target),
        *("--target-path", str(folder), "--log-path", str(folder / "logs")),
        *("--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-print"),
    ]


def _project_files() -> Iterator[Path]:
    for path in sorted(PROJECT.rglob("*")):
        inside = path.relative_to(PROJECT).parts[0]
        if path.suffix in {".sql", ".yml", ".csv"} and inside not in {"target", "logs"}:
            yield path
