"""Models and tests as dbt compiles them, with their inputs by bare names: to be run in an in-memory DuckDB.

Sources keep the name of the schema: raw.<name>.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import made_once

DBT = Path(__file__).parents[2] / "dbt"
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
    arguments = ["compile", "--project-dir", str(DBT), "--profiles-dir", str(DBT)]
    arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder)]
    outcome = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments],
        cwd=folder,
        env=os.environ | {"KAM_WAREHOUSE": str(folder / "warehouse.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, f"dbt cannot compile the project:\n{outcome.stdout[-3000:]}"
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"]
    names = {
        **{key: (node.get("relation_name"), node["name"]) for key, node in nodes.items()},
        **{k: (s["relation_name"], f"raw.{s['name']}") for k, s in manifest["sources"].items()},
    }
    found = {}
    for node in nodes.values():
        if node.get("compiled_code") and node["original_file_path"].endswith(".sql"):
            sql = str(node["compiled_code"])
            for parent in node["depends_on"]["nodes"]:
                sql = sql.replace(*names[parent])
            found[str(node["name"])] = {"sql": sql, "path": node["original_file_path"]}
    (folder / FILE).write_text(json.dumps(found))
