"""Models and tests as dbt compiles them, with their inputs by bare names: to be run in an in-memory DuckDB.

Sources keep the name of the schema: raw.<name>.
"""

import json
from pathlib import Path

import pytest

from dagster_project.lib.warehouse import dbt_project
from tests.pipeline.conftest import made_once
from tests.pipeline.pipeline_runs import own_environment

FILE = "nodes.json"


def compiled_nodes(factory: pytest.TempPathFactory, *selection: str) -> dict[str, str]:
    """The SQL of nodes by name: of those named, and of those in a folder (`models/staging/`, `tests/`).

    dbt compiles the project once for all tests of a session, whichever process runs them.
    """
    folder = made_once(factory, "compiled_project", _compile)
    nodes = json.loads((folder / FILE).read_text())
    return {
        name: node["sql"]
        for name, node in nodes.items()
        if name in selection or node["path"].startswith(tuple(s for s in selection if "/" in s))
    }


def _compile(folder: Path) -> None:
    nodes, sources = (dbt_project.manifest()[kind] for kind in ("nodes", "sources"))
    names = {
        **{key: (node.get("relation_name"), node["name"]) for key, node in nodes.items()},
        **{key: (s["relation_name"], f"raw.{s['name']}") for key, s in sources.items()},
    }
    with own_environment():
        selection = ("resource_type:model", "test_type:singular")
        compiled = dbt_project.compiled(selection, folder=folder)
    found = {}
    for key, sql in compiled.items():
        for parent in nodes[key]["depends_on"]["nodes"]:
            sql = sql.replace(*names[parent])
        found[str(nodes[key]["name"])] = {"sql": sql, "path": nodes[key]["original_file_path"]}
    (folder / FILE).write_text(json.dumps(found))
