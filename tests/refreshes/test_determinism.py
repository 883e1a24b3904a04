"""Same inputs, same `as_of`, same policy: the same marts, whatever the folder, the order of rows, the threads.

Under another order of rows, line numbers differ, and with them what speaks of lines: `rejected_rows` and the texts
of `quality_results`. Everything else must stay.
"""

from __future__ import annotations

import gzip
import random
import shutil
from pathlib import Path

import duckdb

from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import Refreshed, content_hashes, published, refreshed, snapshot

SPEAKS_OF_LINES = ("rejected_rows", "quality_results")
SEED = 20_260_101


def test_same_inputs_give_the_same_bytes_on_one_thread_and_on_four(
    demo: tuple[Refreshed, Truth], tmp_path: Path
) -> None:
    company, truth = demo
    published(refreshed(company.landing, tmp_path / "out", as_of=truth.as_of, threads=1))
    alone = Refreshed(company.landing, tmp_path / "out")
    assert content_hashes(alone) == content_hashes(company)
    assert snapshot(alone.live.folder / "marts") == snapshot(company.live.folder / "marts")
    assert snapshot(alone.live.audiences) == snapshot(company.live.audiences)
    assert alone.live.release_id.split("-")[1] == company.live.release_id.split("-")[1]


def test_order_of_rows_does_not_matter(demo: tuple[Refreshed, Truth], tmp_path: Path) -> None:
    company, truth = demo
    landing = tmp_path / "landing"
    shutil.copytree(company.landing, landing)
    order = random.Random(SEED)
    for path in sorted(landing.rglob("*")):
        if path.name.endswith((".csv", ".csv.gz")):
            shuffle_csv(path, order)
        elif path.suffix == ".parquet":
            shuffle_parquet(path)
    published(refreshed(landing, tmp_path / "out", as_of=truth.as_of, threads=4))
    shuffled = Refreshed(landing, tmp_path / "out")
    assert content_hashes(shuffled, but=SPEAKS_OF_LINES) == content_hashes(
        company, but=SPEAKS_OF_LINES
    )
    columns = "source_file, entity, column_name, raw_value, rule"
    rejected = f"select {columns} from rejected_rows order by all"
    assert shuffled.rows(rejected) == company.rows(rejected)
    verdicts = "select asset, check_name, severity, passed from quality_results order by all"
    assert shuffled.rows(verdicts) == company.rows(verdicts)


def shuffle_csv(path: Path, order: random.Random) -> None:
    """Shuffles the lines below the header; one without a line break at its end stays the last."""
    content = path.read_bytes()
    is_packed = path.suffix == ".gz"
    header, *lines = (gzip.decompress(content) if is_packed else content).splitlines(keepends=True)
    ends = [lines.pop()] if lines and not lines[-1].endswith(b"\n") else []
    order.shuffle(lines)
    content = b"".join([header, *lines, *ends])
    path.write_bytes(gzip.compress(content, mtime=0) if is_packed else content)


def shuffle_parquet(path: Path) -> None:
    """Turns a Parquet file upside down."""
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * exclude (file_row_number) from read_parquet('{path}', file_row_number = true) "
            f"order by file_row_number desc) to '{path}.new' (format parquet)"
        )
    Path(f"{path}.new").replace(path)
