"""Instances of DuckDB that work beside each other in one run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from dagster_project.lib.release.bounds import follow_limits

ROWS = 1_000_000
SORTED = f"""
    select count(*), count(case when k < before then 1 end)
    from (select k, lag(k) over (order by k, s) as before
          from (select hash(range) as k, repeat(range::varchar, 20) as s from range({ROWS})))
"""


def test_two_instances_spill_beside_each_other(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    most: set[Path] = set()

    def sort(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
        (found,) = connection.execute(SORTED).fetchall()
        return found

    def files() -> set[Path]:
        return {path.parent for path in spill.rglob("duckdb_temp_*")}

    with duckdb.connect(config={"threads": 2}) as one, duckdb.connect() as other:
        one.execute(f"set memory_limit = '100MB'; set temp_directory = '{spill}'")
        follow_limits(one, other)
        with ThreadPoolExecutor(max_workers=2) as pool:
            running = [pool.submit(sort, connection) for connection in (one, other)]
            while not all(future.done() for future in running):
                most |= files()
        assert [future.result() for future in running] == [(ROWS, 0)] * 2
    assert len(most) == 2, "both spill, each into a folder of its own"
    assert list(spill.iterdir()) == []
