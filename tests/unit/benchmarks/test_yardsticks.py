"""The scripts of the benchmark agree, and a comparison finds what differs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.benchmarks.comparing import COMPARED, assert_equal_marts
from tests.benchmarks.generate_lines import landing_folder
from tests.benchmarks.measuring import StageError
from tests.benchmarks.volume import AS_OF, Volume
from tests.benchmarks.yardsticks import hand_script, pandas_script
from tests.benchmarks.yardsticks.arguments import Job


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("yardsticks")
    landing = landing_folder(Volume(20_000), "csv", folder)
    for name, script in (("hand", hand_script), ("pandas", pandas_script)):
        job = Job(landing, folder / name, AS_OF)
        job.make_folders()
        script.run(job)
    return {name: folder / name / "marts" for name in ("hand", "pandas")}


def test_pandas_and_duckdb_agree(marts: dict[str, Path], tmp_path: Path) -> None:
    rows = duckdb.execute(
        f"select count(*) from '{marts['hand']}/account_tiers.parquet'"
    ).fetchone()
    assert rows == (100,)
    assert_equal_marts(marts["pandas"], marts["hand"], who="pandas", spill=tmp_path)


@pytest.mark.parametrize(
    ("mart", "change"),
    [
        ("account_tiers", "* replace (revenue + 0.0001 as revenue)"),
        ("account_tiers", "* replace ('C' as revenue_tier)"),
        ("account_tier_history", "* replace (revenue_share + 1e-11 as revenue_share)"),
        ("account_tier_history", "* replace (null as revenue_share_before)"),
        ("account_monthly", "* replace (invoice_count + 1 as invoice_count)"),
        ("account_monthly", "distinct on (account_key) *"),
    ],
)
def test_a_difference_is_found(
    marts: dict[str, Path], tmp_path: Path, mart: str, change: str
) -> None:
    for name in COMPARED:
        source = marts["hand"] / f"{name}.parquet"
        columns = change if name == mart else "*"
        duckdb.execute(f"copy (select {columns} from '{source}') to '{tmp_path / source.name}'")
    with pytest.raises(StageError, match=mart):
        assert_equal_marts(tmp_path, marts["hand"], who="changed", spill=tmp_path / "spill")
