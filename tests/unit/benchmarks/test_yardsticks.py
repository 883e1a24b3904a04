"""The scripts of the benchmark agree, and a comparison finds what differs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest

from tests.benchmarks.comparing import CORE, KEYS, assert_equal_core, assert_equal_marts
from tests.benchmarks.generate_lines import landing_folder
from tests.benchmarks.measuring import StageError
from tests.benchmarks.volume import AS_OF, Volume
from tests.benchmarks.yardsticks import bare_floor, pandas_script
from tests.benchmarks.yardsticks.arguments import Job
from tests.benchmarks.yardsticks.duckdb_script import core, whole


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return landing_folder(Volume(20_000), "csv", tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def marts(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("yardsticks")
    scripts = {"core": core, "whole": whole, "pandas": pandas_script}
    for name, script in scripts.items():
        job = Job(landing, folder / name, AS_OF)
        job.make_folders()
        script.run(job)
    return {name: folder / name / "marts" for name in scripts}


@pytest.mark.parametrize("name", ["pandas", "whole"])
def test_scripts_and_the_core_agree(marts: dict[str, Path], tmp_path: Path, name: str) -> None:
    rows = duckdb.execute(
        f"select count(*) from '{marts['core']}/account_tiers.parquet'"
    ).fetchone()
    assert rows == (100,)
    assert_equal_core(marts[name], marts["core"], who=name, spill=tmp_path)


def test_the_whole_script_makes_the_marts_that_are_compared(marts: dict[str, Path]) -> None:
    assert {path.stem for path in marts["whole"].iterdir()} == set(KEYS)
    for mart, key in KEYS.items():
        rows = duckdb.execute(
            f"select count(*), count(distinct row({', '.join(key)})) from '{marts['whole']}/{mart}.parquet'"
        ).fetchone()
        assert rows is not None
        assert rows[0] == rows[1] > 0, mart


def test_the_floor_tiers_as_the_whole_script_does(marts: dict[str, Path], tmp_path: Path) -> None:
    landing = landing_folder(Volume(20_000), "parquet", tmp_path)
    bare_floor.run(landing, tmp_path / "floor.parquet", as_of=AS_OF)
    differing = duckdb.execute(
        f"""
        select count(*) filter (floor.tier <> tiers.value_tier or floor.revenue <> tiers.revenue), count(*)
        from '{tmp_path}/floor.parquet' as floor
        inner join '{marts["whole"]}/account_members.parquet' as members
            on floor.customer_id = members.source_id
        inner join '{marts["whole"]}/account_tiers.parquet' as tiers using (account_key)
        """
    ).fetchone()
    assert differing == (0, 80)


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
    _change(marts["core"], tmp_path, mart, change, CORE)
    with pytest.raises(StageError, match=mart):
        assert_equal_core(tmp_path, marts["core"], who="changed", spill=tmp_path / "spill")


@pytest.mark.parametrize(
    ("mart", "change", "is_found_later"),
    [
        ("account_tier_history", "* replace ('win' as posture)", True),
        ("account_tiers", "* replace (regularity + 1e-11 as regularity)", True),
        ("account_tiers", "* replace ('B' as previous_tier)", False),
        (
            "portfolio_concentration",
            "* replace (abc_curve_first_count + 1 as abc_curve_first_count)",
            True,
        ),
        ("published_tiers", "* replace ('x' as members_hash)", False),
        ("tier_moves", "* replace ('override' as move_cause)", True),
    ],
)
def test_a_difference_of_the_whole_is_found(
    marts: dict[str, Path], tmp_path: Path, mart: str, change: str, is_found_later: bool
) -> None:
    _change(marts["whole"], tmp_path, mart, change, KEYS)
    for is_later in (False, True):
        expected = (
            pytest.raises(StageError, match=mart)
            if is_found_later or not is_later
            else nullcontext()
        )
        with expected:
            assert_equal_marts(
                tmp_path,
                marts["whole"],
                who="changed",
                spill=tmp_path / "spill",
                is_later=is_later,
            )


def test_restated_moves_are_not_asked_of_a_script(marts: dict[str, Path], tmp_path: Path) -> None:
    restated = "* from 'MOVES' union all select * replace ('restated' as move_kind)"
    moves = restated.replace("MOVES", str(marts["whole"] / "tier_moves.parquet"))
    _change(marts["whole"], tmp_path, "tier_moves", moves, KEYS)
    spill = tmp_path / "spill"
    assert_equal_marts(tmp_path, marts["whole"], who="product", spill=spill, is_later=True)
    with pytest.raises(StageError, match="restated"):
        assert_equal_marts(tmp_path, marts["whole"], who="product", spill=spill)


def _change(source: Path, target: Path, changed: str, change: str, names: Iterable[str]) -> None:
    for name in names:
        file = f"{name}.parquet"
        columns = change if name == changed else "*"
        duckdb.execute(f"copy (select {columns} from '{source / file}') to '{target / file}'")
