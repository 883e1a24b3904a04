"""BI keeps the live database open while a refresh runs: neither fails and neither waits for the other."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, Refreshed, published, refreshed
from tests.pipeline.reader_processes import reading, told_by

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
print("ready", flush=True)
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


def told(reader: subprocess.Popen[str]) -> list[Any]:
    """What it saw, often enough and without waiting."""
    said = told_by(reader, seconds=60)
    assert said["reads"] > 20
    assert said["longest"] < WAIT_SECONDS
    seen: list[Any] = said["seen"]
    return seen


def test_open_readers_neither_fail_nor_wait(golden: Refreshed, tmp_path: Path) -> None:
    company, stop = golden.copy(tmp_path), tmp_path / "stop"
    database = company.out / "published" / "marts.duckdb"
    arguments = ("-c", READER, str(database), str(stop))
    with (
        reading(*arguments, "hold", stop=stop) as holder,
        reading(*arguments, "look", stop=stop) as looker,
    ):
        published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=POLICY))
        stop.touch()
        held, looked = told(holder), told(looker)
    before, after = looked
    assert held == [before], "an open connection sees its release to the end"
    assert before[0] == after[0] == 12
    assert before[1] != after[1], "the new release has other tiers"
