"""Two sets of marts side by side, with a service model and without one."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.simulation.compared import Comparison, Move, compare, write_moves
from dagster_project.lib.simulation.workspace import Simulated

ACCOUNTS = {  # key: revenue, tier before, tier after, hours before, hours after
    "one": (900, "A", "A", 40, 40),
    "two": (300, "B", "A", 12, 40),
    "three": (50, "C", "C", 2, 2),
    "gone": (0, "C", "C", 2, 2),
}


def made(path: Path, side: int, *, with_service: bool) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create schema raw")
        connection.execute(
            "create table marts.account_tiers (account_key varchar, account_name varchar, "
            "relationship varchar, owner_id varchar, revenue decimal(18, 4), gross_margin decimal(18, 4), "
            "potential decimal(18, 4), posture varchar, tier_reason varchar, is_excluded boolean, "
            "final_tier varchar, inactive_since date)"
        )
        connection.execute(
            "create table raw.policy_schemes as select 'revenue' as scheme, true as is_primary"
        )
        connection.execute(
            "create table raw.policy_cut_points as select 'revenue' as scheme, tier, tier_rank, "
            "'cumulative_share' as rule, cut::bigint as cut_millionths, null::decimal(18, 4) as cut_value "
            f"from (values ('A', 1, {700_000 + side * 100_000}), ('B', 2, 950_000), ('C', 3, null)) "
            "as cuts (tier, tier_rank, cut)"
        )
        for key, (revenue, *rest) in ACCOUNTS.items():
            connection.execute(
                "insert into marts.account_tiers values (?, ?, 'customer', 'u1', ?, null, null, 'defend', "
                "'because', false, ?, ?)",
                [
                    key,
                    key.title(),
                    revenue,
                    rest[side],
                    date(2026, 1, 1) if key == "gone" else None,
                ],
            )
        if with_service:
            connection.execute(
                "create table marts.account_coverage (account_key varchar, planned_hours decimal(18, 4))"
            )
            for key, row in ACCOUNTS.items():
                connection.execute(
                    "insert into marts.account_coverage values (?, ?)", [key, row[3 + side]]
                )
            needed = sum(row[3 + side] for row in ACCOUNTS.values())
            connection.execute(
                "create table marts.owner_capacity as select 'crm:u1' as owner_key, "
                f"{needed}::decimal(18, 4) as needed_hours, 60::decimal(18, 4) as available_hours, "
                f"{needed} > 60 as is_overloaded union all select 'unowned', 5, null, null"
            )
    return path


def compared(folder: Path, *, with_service: bool) -> Comparison:
    live = made(folder / "live.duckdb", 0, with_service=with_service)
    simulated = made(folder / "warehouse.duckdb", 1, with_service=with_service)
    return compare(
        Simulated(simulated, (), 0),
        warehouse=live,
        release_id="r",
        currency="EUR",
        as_of=date(2026, 1, 1),
    )


@pytest.mark.parametrize("with_service", [True, False])
def test_tiers_and_moves(tmp_path: Path, with_service: bool) -> None:
    found = compared(tmp_path, with_service=with_service)
    assert [(t.tier, t.accounts_before, t.accounts_after) for t in found.tiers] == [
        ("A", 1, 2),
        ("B", 1, 0),
        ("C", 1, 1),
    ]
    (move,) = found.moves
    assert (move.account_key, move.from_tier, move.to_tier, move.revenue) == ("two", "B", "A", 300)
    assert found.changes == [
        {
            "name": "schemes.revenue.A",
            "before": "cumulative_share 0.7",
            "after": "cumulative_share 0.8",
        }
    ]


def test_hours_and_overloaded_owners_where_there_is_a_service_model(tmp_path: Path) -> None:
    found = compared(tmp_path, with_service=True)
    assert [(t.hours_before, t.hours_after) for t in found.tiers] == [(40, 80), (12, None), (2, 2)]
    (move,) = found.moves
    assert (move.hours_before, move.hours_after) == (12, 40)
    assert found.owners is not None
    (owner,) = found.owners
    assert (owner.owner_id, owner.is_overloaded_before, owner.is_overloaded_after) == (
        "crm:u1",
        False,
        True,
    )
    assert (owner.hours_available, owner.hours_before, owner.hours_after) == (60, 56, 84)


def test_without_one_hours_are_unknown(tmp_path: Path) -> None:
    found = compared(tmp_path, with_service=False)
    assert found.owners is None
    assert {tier.hours_after for tier in found.tiers} == {None}


def test_a_spreadsheet_runs_no_cell_of_the_moves(tmp_path: Path) -> None:
    move = {name: None for name in Move.model_fields} | {
        "account_key": "crm:accounts:1",
        "account_name": '=HYPERLINK("http://example.com")',
        "relationship": "customer",
        "owner_id": "@U1",
        "revenue": Decimal("-12.5"),
    }
    write_moves([Move.model_validate(move)], tmp_path / "moves.csv")
    with (tmp_path / "moves.csv").open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert row["account_name"] == '\'=HYPERLINK("http://example.com")'
    assert (row["account_key"], row["owner_id"]) == ("crm:accounts:1", "'@U1")
    assert row["revenue"] == "-12.5", "a number is no text"
