"""A table of the warehouse is replaced whole, whatever stood there, and a mart keeps to its contract."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.warehouse.dbt_project import DbtError, build

TABLE = "marts.tier_playbook"


def built(folder: Path, selection: str = "+tier_playbook") -> None:
    results = build(
        ["--select", selection, "--indirect-selection", "cautious"],
        warehouse=folder / "warehouse.duckdb",
        run_folder=folder / "run",
        memory_limit="1GB",
        threads=1,
    )
    assert {result.status for result in results} <= {"success", "pass"}


def asked(folder: Path, *statements: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)
        return connection.fetchall()


def test_a_table_takes_the_place_of_a_table_and_of_a_view(tmp_path: Path) -> None:
    everything = f"select * from {TABLE} order by all"
    built(tmp_path)
    first = asked(tmp_path, everything)
    assert first
    described = asked(tmp_path, f"describe {TABLE}")

    asked(tmp_path, f"insert into {TABLE} from {TABLE}")
    built(tmp_path)
    assert asked(tmp_path, everything) == first

    asked(tmp_path, f"drop table {TABLE}", f"create view {TABLE} as select 1 as one")
    built(tmp_path)
    assert asked(tmp_path, everything) == first
    assert asked(tmp_path, f"describe {TABLE}") == described, (
        "types and constraints of the contract"
    )

    asked(tmp_path, "alter table seeds.tier_plays rename to gone")
    with pytest.raises(DbtError, match="tier_plays"):
        built(tmp_path, "tier_playbook")
    assert asked(tmp_path, everything) == first, "what cannot be built leaves what is there"
    asked(tmp_path, f"drop table {TABLE}", f"create view {TABLE} as select 1 as one")
    with pytest.raises(DbtError, match="tier_plays"):
        built(tmp_path, "tier_playbook")
    assert asked(tmp_path, everything) == [(1,)]
    names = asked(tmp_path, "select table_name from information_schema.tables")
    assert not [name for (name,) in names if "__dbt" in str(name)]
