"""The SQL that builds each model anew, compiled by dbt once per state of the project and kept beside its parse.

dbt's own run of a dozen small models costs more than the models (5 of 7 seconds on the demo company).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from dagster_project.lib.simulation.reach import Graph
from dagster_project.lib.warehouse import dbt_project

KEPT = "simulation.json"


def statements(graph: Graph, *, folder: Path) -> dict[str, str]:
    """Compiled SQL by unique_id of every model that a simulation could build.

    Args:
        graph: the project's.
        folder: where dbt may work, if it must.
    """
    kept = dbt_project.parsed_folder() / KEPT
    models = sorted(name for name in graph.needed if name.startswith("model."))
    found: dict[str, str] = json.loads(kept.read_bytes()) if kept.is_file() else {}
    if found.keys() >= set(models):
        return found
    work = folder / "compiled"
    work.mkdir()
    names = [str(graph.nodes[name]["name"]) for name in models]
    compiled = dbt_project.compiled(names, folder=work)
    if absent := [name for name in models if not compiled.get(name)]:
        raise dbt_project.DbtError(f"dbt did not compile {', '.join(absent)}")
    part = work / KEPT
    part.write_text(json.dumps(compiled), encoding="utf-8")
    _move(part, kept)
    return compiled


def _move(part: Path, kept: Path) -> None:
    """Written whole, then renamed; across file systems a rename needs a copy in the same folder first."""
    beside = kept.with_name(f".{kept.name}.{os.getpid()}")
    beside.write_bytes(part.read_bytes())
    os.replace(beside, kept)
