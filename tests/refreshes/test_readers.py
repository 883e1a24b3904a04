"""BI keeps the live database open while a refresh runs: neither fails and neither waits for the other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, Refreshed, published, refreshed

POLICY = "schemes: {revenue: {cut_points: {A: 0.60, B: 0.90}}}\n"
WAIT_SECONDS = (
    5  # a read of twelve rows takes milliseconds; a lock would hold it for the refresh's seconds
)

# `hold` keeps one connection open, `look` opens one at each look, until the file `stop` appears. Two processes:
# within one, DuckDB gives every connection to a path the database that is already open there.
READER = """
import json, sys, time
from pathlib import Path
import duckdb

database, stop, way = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
query = "select count(*), string_agg(revenue_tier, '' order by account_key) from account_tiers"
connect = lambda: duckdb.connect(database, read_only=True)
seen, longest, reads, held = [], 0.0, 0, connect()
print("open", flush=True)
while True:
    is_last = stop.exists()
    started = time.monotonic()
    if way == "look":
        held.close()
        held = connect()
    found = list(held.execute(query).fetchone())
    longest, reads = max(longest, time.monotonic() - started), reads + 1
    if found not in seen:
        seen.append(found)
    if is_last:
        break
    time.sleep(0.01)
print(json.dumps({"seen": seen, "longest": longest, "reads": reads}), flush=True)
"""


@contextmanager
def reading(database: Path, stop: Path, way: str) -> Iterator[subprocess.Popen[str]]:
    """A reader's process, which has the database open."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(database), str(stop), way],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        try:
            assert reader.stdout is not None
            assert reader.stdout.readline().strip() == "open"
            yield reader
        finally:
            stop.touch()


def told_by(reader: subprocess.Popen[str]) -> dict[str, Any]:
    said, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    told: dict[str, Any] = json.loads(said)
    assert told["reads"] > 20
    assert told["longest"] < WAIT_SECONDS
    return told


def test_open_readers_neither_fail_nor_wait(golden: Refreshed, tmp_path: Path) -> None:
    company, stop = golden.copy(tmp_path), tmp_path / "stop"
    database = company.out / "published" / "marts.duckdb"
    with reading(database, stop, "hold") as holder, reading(database, stop, "look") as looker:
        published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=POLICY))
        stop.touch()
        held, looked = told_by(holder)["seen"], told_by(looker)["seen"]
    before, after = looked
    assert held == [before], "an open connection sees its release to the end"
    assert before[0] == after[0] == 12
    assert before[1] != after[1], "the new release has other tiers"
