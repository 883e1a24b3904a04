"""Readers in other processes while releases are published: they never fail, never wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dagster_project.lib.release.live import LiveRelease

READER = """
import json, sys, time
from pathlib import Path
import duckdb

published, kind = Path(sys.argv[1]), sys.argv[2]
QUERY = "select revenue::integer from account_tiers"
held = duckdb.connect(str(published / "marts.duckdb"), read_only=True) if kind == "held" else None

def read():
    if held is not None:
        return held.execute(QUERY).fetchone()[0]
    if kind == "reopened":
        with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
            return connection.execute(QUERY).fetchone()[0]
    current = json.loads((published / "current.json").read_text())
    mart = published / current["path"] / "marts" / "account_tiers.parquet"
    return duckdb.sql(f"select revenue::integer from read_parquet('{mart}')").fetchone()[0]

seen, slowest = [read()], 0.0
print("ready", flush=True)
while not (published.parent / "stop").exists():
    started = time.perf_counter()
    seen.append(read())
    slowest = max(slowest, time.perf_counter() - started)
print(json.dumps({"seen": sorted(set(seen)), "rises": seen == sorted(seen), "reads": len(seen),
                  "slowest": slowest}))
"""
RELEASES = range(2, 8)


def test_readers_see_whole_releases_and_never_wait(
    tmp_path: Path, release: Callable[..., LiveRelease]
) -> None:
    published = tmp_path / "published"
    release(published, 1)
    readers = {
        kind: subprocess.Popen(
            [sys.executable, "-c", READER, str(published), kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind in ("held", "reopened", "pointer")
    }
    try:
        for reader in readers.values():
            assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        for revenue in RELEASES:
            release(published, revenue)
    finally:
        (tmp_path / "stop").touch()
        said = {kind: reader.communicate(timeout=60) for kind, reader in readers.items()}
    for kind, (_, errors) in said.items():
        assert readers[kind].returncode == 0, errors
    results = {kind: json.loads(output) for kind, (output, _) in said.items()}
    assert results["held"]["seen"] == [1], "an open file stays the release that it was"
    for kind in ("reopened", "pointer"):
        assert results[kind]["rises"]
        assert set(results[kind]["seen"]) <= {1, *RELEASES}
        assert results[kind]["seen"][-1] >= RELEASES[-1] - 1
    for result in results.values():
        # A blocked reader would wait for a whole publication or fail; a busy machine costs less.
        assert result["slowest"] < 5
        assert result["reads"] > len(RELEASES)
