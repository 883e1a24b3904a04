"""Models and tests as dbt compiles them, with their inputs by bare names: to be run in an in-memory DuckDB.

Sources keep the name of the schema: raw.<name>.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

DBT = Path(__file__).parents[2] / "dbt"


def compiled_nodes(folder: Path, *selection: str) -> dict[str, str]:
    """The SQL of each selected node by name; `folder` takes what dbt writes."""
    arguments = ["compile", "--select", *selection, "--project-dir", str(DBT)]
    arguments += ["--profiles-dir", str(DBT), "--target-path", str(folder / "target")]
    arguments += ["--log-path", str(folder)]
    outcome = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments],
        cwd=folder,
        env=os.environ | {"KAM_WAREHOUSE": str(folder / "warehouse.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, f"dbt cannot compile {selection}:\n{outcome.stdout[-3000:]}"
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"]
    names = {
        **{key: (node.get("relation_name"), node["name"]) for key, node in nodes.items()},
        **{k: (s["relation_name"], f"raw.{s['name']}") for k, s in manifest["sources"].items()},
    }
    found = {}
    for node in nodes.values():
        if node.get("compiled_code"):
            sql = str(node["compiled_code"])
            for parent in node["depends_on"]["nodes"]:
                sql = sql.replace(*names[parent])
            found[str(node["name"])] = sql
    return found
