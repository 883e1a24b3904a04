"""Targets in the graph: there where they are set, behind the release, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# A process of its own, as the graph is loaded once in each.
CODE = """
import json
from dagster_project.definitions import defs
found = defs()
graph = found.resolve_asset_graph()
jobs = {job.name: sorted(k.to_user_string() for k in job.asset_layer.selected_asset_keys)
        for job in found.resolve_all_job_defs()}
print(json.dumps({
    "behind": {k.to_user_string(): sorted(p.to_user_string() for p in graph.get(k).parent_keys)
               for k in graph.get_all_asset_keys() if k.path[-1] in ("postgres", "object_store")},
    "refresh": [k for k in jobs["refresh"] if "postgres" in k or "object_store" in k],
    "targets": jobs.get("targets"),
}))
"""


def graph(targets: str) -> dict[str, object]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KAM_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE],
        capture_output=True,
        text=True,
        timeout=120,
        env={**environment, "KAM_TARGETS": targets},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ("", []),
        (
            '{"postgres": {}, "object_store": {"url": "memory://x"}}',
            ["exports/object_store", "exports/postgres"],
        ),
    ],
)
def test_targets_that_are_set_hang_on_the_release(targets: str, names: list[str]) -> None:
    told = graph(targets)
    assert told["behind"] == {name: ["exports/release"] for name in names}
    assert told["refresh"] == names
    assert told["targets"] == (names or None)
