"""What the report counts and in which order, on a release of a few rows: no company needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.headline import read_headline
from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.manifest import Manifest, MartRecord, PolicyRecord, Totals
from dagster_project.lib.report.accounts import Moves, read_moves
from dagster_project.lib.report.blocks import Table
from dagster_project.lib.report.portfolio import read_totals
from dagster_project.lib.report.reading import marts_of
from dagster_project.lib.report.said import Said
from dagster_project.lib.report.sections.change import moved

AS_OF = date(2026, 11, 1)
MOVE = (
    "select * from (values {rows}) as moves (account_key, as_of, move_kind, moved_at, from_tier, "
    "to_tier, direction, move_cause, from_value, to_value)"
)
MIGRATION = (
    "select date '2026-11-01' as as_of, date '2026-10-01' as month, 'B' as from_tier, "
    "'A' as to_tier, 1 as account_count, 3.0 as revenue"
)
ACCOUNTS = (
    "select account_key, account_key as account_name, tier as final_tier, 'customer' as relationship, "
    "revenue::decimal(18, 4) as revenue, revenue::decimal(18, 4) as gross_margin, "
    "revenue::decimal(18, 4) as revenue_previous, false as is_excluded, null::date as inactive_since, "
    "'said' as tier_reason, null::varchar as override_tier, tier as stable_tier "
    "from (values ('a1', 'A', 90), ('b1', 'B', 8), ('c1', 'C', 2)) as accounts (account_key, tier, revenue)"
)
MONTHS = (
    "select date '2026-10-01' as month, 100::decimal(18, 4) as revenue, "
    "100::decimal(18, 4) as costed_revenue, 50::decimal(18, 4) as gross_margin"
)
# two accounts with potential, A and C: on this curve C stands second, before every B
CURVE = (
    "select * from (values ('revenue', 'A', 1), ('revenue', 'A', 2), ('revenue', 'B', 3), ('revenue', 'C', 4), "
    "('potential', 'A', 1), ('potential', 'C', 2)) as curve (scheme, tier, curve_rank)"
)
CONCENTRATION = (
    "select 'revenue' as scheme, date '2026-11-01' as as_of, 1 as accounts_making_80_count"
)


def release(folder: Path, marts: Mapping[str, str], *, policy: PolicyRecord | None) -> LiveRelease:
    (folder / "marts").mkdir(parents=True)
    for name, query in marts.items():
        duckdb.connect().execute(f"copy ({query}) to '{folder / 'marts' / name}.parquet'")
    manifest = Manifest(
        release_id="20261101T000000Z-00000000",
        previous_release_id=None,
        as_of=AS_OF,
        run_at=datetime(2026, 11, 1, tzinfo=UTC),
        reporting_currency="EUR",
        policy_sha256="0" * 64,
        policy=policy,
        inputs=(),
        totals=Totals(
            revenue=Decimal(100),
            gross_margin=Decimal(50),
            excluded_value=Decimal(0),
            accounts=3,
            accounts_by_final_tier={},
        ),
        checks=(),
        marts=tuple(MartRecord(name=name, key=(), rows=0, sha256="") for name in marts),
        versions={},
    )
    return LiveRelease(folder, manifest)


def policy(**cuts: str) -> PolicyRecord:
    return PolicyRecord(
        file=None,
        primary_scheme="revenue",
        rule="cumulative_share",
        cut_points=dict(cuts),
        lowest_tier="C",
        window_months=12,
    )


def tiers_release(folder: Path, said: PolicyRecord | None) -> LiveRelease:
    marts = {
        "account_tiers": ACCOUNTS,
        "account_monthly": MONTHS,
        "pareto_curve": CURVE,
        "portfolio_concentration": CONCENTRATION,
    }
    return release(folder, marts, policy=said)


def moves_of(folder: Path, *rows: str) -> Moves:
    marts = {
        "tier_moves": MOVE.format(rows=", ".join(rows)),
        "tier_migration": MIGRATION,
        "account_tiers": ACCOUNTS,
    }
    live = release(folder, marts, policy=policy(A="0.8", B="0.95"))
    with marts_of(live, spill=folder / "spill") as opened:
        return read_moves(opened)


def move(
    account: str,
    kind: str,
    way: str,
    *,
    at: int = 1,
    cause: str = "own_value",
    values: str = "1, 3",
) -> str:
    start, end = way
    direction = "promoted" if end < start else "demoted"
    return (
        f"('{account}', date '2026-11-01', '{kind}', timestamp '2026-11-0{at}', '{start}', '{end}', "
        f"'{direction}', '{cause}', {values})"
    )


@pytest.mark.parametrize(
    ("said", "order"),
    [
        (policy(A="0.8", B="0.95"), ["A", "B", "C"]),
        (policy(B="0.8", A="0.95"), ["B", "A", "C"]),
        (policy(B="0.8"), ["B", "C", "A"]),
        (None, ["A", "B", "C"]),
    ],
)
def test_tiers_stand_in_the_policy_s_order_whatever_stands_first_on_a_curve(
    tmp_path: Path, said: PolicyRecord | None, order: list[str]
) -> None:
    live = tiers_release(tmp_path, said)
    assert [tier.tier for tier in read_headline(live).tiers] == order
    with marts_of(live, spill=tmp_path / "spill") as marts:
        assert read_totals(marts).tiers == order


def test_a_tier_without_accounts_keeps_its_place_in_the_migration(tmp_path: Path) -> None:
    live = tiers_release(tmp_path, policy(S="0.5", A="0.8", B="0.95"))
    with marts_of(live, spill=tmp_path / "spill") as marts:
        totals = read_totals(marts)
    assert totals.tiers == ["S", "A", "B", "C"]
    assert [tier.tier for tier in totals.headline.tiers] == ["A", "B", "C"]


def test_a_move_that_was_published_again_counts_once(tmp_path: Path) -> None:
    found = moves_of(tmp_path, move("a1", "monthly", "BA"), move("a1", "restated", "BA", at=9))
    assert (found.count, found.promoted, found.demoted) == (1, 1, 0)
    assert [row["moves"] for row in found.causes] == [1]
    assert [(row["account_key"], row["is_restated"]) for row in found.shown] == [("a1", True)]
    assert (found.restated, found.restated_count) == ([], 0)
    assert found.count == sum(
        row["account_count"] for row in found.migration if row["from_tier"] != row["to_tier"]
    )


def test_what_only_a_new_publication_changed_stands_apart(tmp_path: Path) -> None:
    found = moves_of(
        tmp_path,
        move("a1", "monthly", "BA"),
        # from what was said first to what is said last, in one row
        move("b1", "restated", "CA", at=2, values="null, 3"),
        move("b1", "restated", "AB", at=3, cause="policy", values="3, 2"),
        # there and back: nothing is different
        move("c1", "restated", "CB", at=2),
        move("c1", "restated", "BC", at=3),
    )
    assert found.count == 1
    assert [row["is_restated"] for row in found.shown] == [False]
    assert found.restated_count == 1
    row = found.restated[0]
    assert (row["account_key"], row["from_tier"], row["to_tier"]) == ("b1", "C", "B")
    assert (row["move_cause"], row["from_value"], row["to_value"]) == ("policy", None, 2)


def test_the_section_lists_each_account_once(tmp_path: Path) -> None:
    live = tiers_release(tmp_path / "tiers", policy(A="0.8", B="0.95"))
    with marts_of(live, spill=tmp_path / "spill") as marts:
        totals = read_totals(marts)
    found = moves_of(
        tmp_path / "moves",
        move("a1", "monthly", "BA"),
        move("a1", "restated", "BA", at=9),
        move("b1", "restated", "CB", at=9, cause="policy"),
    )
    section = moved(found, totals, Said("en", currency="EUR"))
    assert section.lead == "1 account changed its final tier in the last month: 1 up, 0 down."
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables] == [1, 1, 1]
    assert "published again" in str(tables[1].rows[0]) and "a1" in str(tables[1].rows[0])
    assert "published again" not in str(tables[2].rows[0]) and "b1" in str(tables[2].rows[0])
