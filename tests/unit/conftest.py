"""What several folders of unit tests share: a warehouse of seven accounts, made by hand.

Revenue of the year before 2024-01-01: a 800, b 120, c 50, d 30 (total 1000), e none, f -10; g, the
house account, 40 and excluded. Policy: A 80%, B 95%, patience 3 months, new customer 6 months,
8 months of history.
"""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.policy import Policy, load_policy

AS_OF = datetime.date(2024, 1, 1)
POLICY = """
history_months: 8
gate: {min_population: 4}
"""
# account -> value, rank, share, share before, cumulative share, net, tier, distance to the line
# above
CURVE: dict[str, tuple[Any, ...]] = {
    "a": (800, 1, 0.8, 0.0, 0.8, 0.808080808081, "A", 0),
    "b": (120, 2, 0.12, 0.8, 0.92, 0.929292929293, "B", 680),
    "c": (50, 3, 0.05, 0.92, 0.97, 0.979797979798, "B", 750),
    "d": (30, 4, 0.03, 0.97, 1.0, 1.010101010101, "C", 20),
    "f": (-10, None, None, None, None, 1.0, "C", 60),
}
# account -> raw tiers of its months, the last one is AS_OF
RAW_TIERS = {
    "a": "AAAAAAAA",
    "b": "BBBBBABB",  # A in November: stands until January
    "c": "ABBBB",  # first month A, new since August: not demoted yet
    "d": "CCCCCCCC",
    "e": "CCCCCCCC",
    "f": "CCCCCCCC",
    "g": "--------",  # excluded: not ranked
}
FIRST_INVOICES = {
    "a": "2022-03-04",
    "b": "2022-03-04",
    "c": "2023-08-20",
    "d": "2021-01-31",
    "f": "2022-05-05",
    "g": "2022-05-05",
}
# account -> stable, override, final tier, is new customer
FINAL: dict[str, tuple[Any, ...]] = {
    "a": ("A", None, "A", False),
    "b": ("A", None, "A", False),
    "c": ("A", None, "A", True),
    "d": ("C", "B", "B", False),
    "e": ("C", None, "C", False),
    "f": ("C", None, "C", False),
    "g": (None, None, "C", False),
}
MATRIX = "AAA ABA ACA AnoneA BAA BBB BCB BnoneB CAB CBC CCC CnoneC"
# of a tier, and of the cells that have another
POSTURES = {
    "A": "defend",
    "B": "maintain",
    "C": "serve lean",
    "BA": "grow",
    "BB": "grow",
    "CA": "win",
}
SCHEMES = ("revenue", "gross_margin", "net_margin", "potential")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    """The default policy with a short history and a small population."""
    path = tmp_path / "policy.yml"
    path.write_text(POLICY, encoding="utf-8")
    return load_policy(path)


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """An in-memory warehouse with what the gate reads."""
    connection = duckdb.connect()
    for schema in ("marts", "intermediate", "seeds"):
        connection.execute(f"create schema {schema}")
    _create_account_tiers(connection)
    _create_pareto_curve(connection)
    _create_history(connection)
    _create_months(connection)
    _create_concentration(connection)
    _create_time(connection)
    _create_intermediate(connection)
    return connection


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[tuple[Any, ...]]
) -> None:
    """Create a table (`name type, ...`) and fill it."""
    connection.execute(f"create table {table} ({columns})")
    marks = ", ".join("?" * (columns.count(",") + 1 - columns.count("(18,")))
    if rows:
        connection.executemany(f"insert into {table} values ({marks})", rows)


def _create_account_tiers(connection: duckdb.DuckDBPyConnection) -> None:
    head = (
        "account_key varchar, account_name varchar, relationship varchar, as_of date, "
        "is_active boolean, is_excluded boolean, excluded_reason varchar, is_placeholder boolean, "
        "parent_account_key varchar, ultimate_parent_account_key varchar, "
        "classified_account_key varchar, country_code varchar, industry varchar, owner_id varchar, "
        "revenue decimal(18,4), revenue_previous decimal(18,4), "
        "gross_margin decimal(18,4), gross_margin_rate double, cost_coverage double, "
        "net_margin decimal(18,4), "
        "first_invoice_date date, last_invoice_date date, invoice_count bigint, "
        "active_months bigint, is_new_customer boolean, "
    )
    schemes = "".join(
        f"{name}_rank bigint, {name}_share double, {name}_share_before double, "
        f"{name}_cumulative_share double, {name}_tier varchar, {name}_distance decimal(18,4), "
        for name in SCHEMES
    )
    tail = (
        "potential decimal(18,4), potential_basis varchar, value_tier varchar, raw_tier varchar, "
        "stable_tier varchar, override_tier varchar, final_tier varchar, posture varchar, "
        "tier_reason varchar, previous_tier varchar, move_cause varchar, inactive_since date, "
        "row_hash varchar, updated_at timestamp"
    )
    connection.execute(f"create table marts.account_tiers ({head}{schemes}{tail})")
    for key, (stable, override, final, is_new) in FINAL.items():
        value, rank, share, before, through, _, tier, distance = CURVE.get(
            key, (0, None, None, None, None, None, "C", None)
        )
        is_excluded = key == "g"
        value, tier = (40, None) if is_excluded else (value, tier)
        connection.execute(
            """
            insert into marts.account_tiers by name
            select
                $key as account_key, $key as classified_account_key, $as_of as as_of,
                true as is_active,
                $is_excluded as is_excluded,
                $value::decimal(18,4) as revenue, $first::date as first_invoice_date,
                case when $first is not null then date '2023-12-15' end as last_invoice_date,
                $is_new as is_new_customer, $rank as revenue_rank, $share as revenue_share,
                $before as revenue_share_before, $through as revenue_cumulative_share,
                $tier as revenue_tier, $distance::decimal(18,4) as revenue_distance,
                $tier as value_tier, $tier as raw_tier, $stable as stable_tier,
                $override as override_tier, $final as final_tier, $final as previous_tier,
                $posture as posture,
                md5($key) as row_hash, $as_of::timestamp as updated_at
            """,
            {
                **{"key": key, "as_of": AS_OF, "value": value, "first": FIRST_INVOICES.get(key)},
                **{"is_new": is_new, "rank": rank, "share": share, "before": before},
                **{"through": through, "tier": tier, "distance": distance, "stable": stable},
                **{"override": override, "final": final, "is_excluded": is_excluded},
                "posture": POSTURES[final],
            },
        )


def _create_pareto_curve(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        ("revenue", "all", place, key, AS_OF, Decimal(value), share, before, through, net, tier)
        for place, (key, (value, _, share, before, through, net, tier, _)) in enumerate(
            CURVE.items(), start=1
        )
    ]
    _insert(
        connection,
        "marts.pareto_curve",
        "scheme varchar, population varchar, curve_rank bigint, account_key varchar, as_of date, "
        "value decimal(18,4), share double, share_before double, cumulative_share double, "
        "cumulative_share_net double, tier varchar",
        rows,
    )


def _create_history(connection: duckdb.DuckDBPyConnection) -> None:
    rows = []
    for key, tiers in RAW_TIERS.items():
        for age, tier in enumerate(reversed(tiers)):
            month = 12 * AS_OF.year - age
            as_of = datetime.date(month // 12, month % 12 + 1, 1)
            raw_tier = None if tier == "-" else tier
            rows.append(
                (key, as_of, raw_tier, FINAL[key][2], CURVE[key][2] if key in CURVE else None)
            )
    _insert(
        connection,
        "marts.account_tier_history",
        "account_key varchar, as_of date, raw_tier varchar, final_tier varchar, "
        "revenue_share double",
        rows,
    )
    connection.execute(
        "create view intermediate.int_account_final_tiers as from marts.account_tier_history"
    )


def _create_months(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        (key, datetime.date(2023, month, 1), "CHF,EUR" if key == "a" else "EUR", 1.0)
        for key in CURVE
        for month in range(9, 13)
    ]
    _insert(
        connection,
        "marts.account_monthly",
        "account_key varchar, month date, currencies varchar, cost_coverage double",
        rows,
    )


def _create_concentration(connection: duckdb.DuckDBPyConnection) -> None:
    shares = ", ".join(
        f"top_{percent}_percent_of_{of}_share double"
        for of in ("active", "all")
        for percent in (1, 5, 10, 20)
    )
    _insert(
        connection,
        "marts.portfolio_concentration",
        "scheme varchar, as_of date, account_count bigint, active_count bigint, gini double, "
        f"hhi double, effective_count double, {shares}, accounts_making_80_count bigint, "
        "accounts_making_80_of_active_share double, accounts_making_80_of_all_share double",
        [("revenue", AS_OF, 6, 4, 0.595, 0.6578, 1.520218911523, *[0.8] * 7, 0.92, 1, 0.25, 0.166)],
    )


def _create_time(connection: duckdb.DuckDBPyConnection) -> None:
    _insert(
        connection,
        "marts.account_coverage",
        "account_key varchar, actual_hours decimal(18,4)",
        [(key, Decimal(40)) for key in CURVE],
    )
    _insert(
        connection,
        "marts.owner_capacity",
        "owner_key varchar, available_hours decimal(18,4)",
        [("crm:users:U1", Decimal(1040)), ("unowned", None)],
    )


def _create_intermediate(connection: duckdb.DuckDBPyConnection) -> None:
    matrix = [
        (cell[0], cell[1:-1], cell[-1], POSTURES.get(cell[0] + cell[1:-1], POSTURES[cell[-1]]))
        for cell in MATRIX.split()
    ]
    _insert(
        connection,
        "seeds.tier_matrix",
        "value_tier varchar, potential_tier varchar, final_tier varchar, posture varchar",
        matrix,
    )
    _insert(
        connection,
        "intermediate.int_accounts",
        "account_sk bigint, account_key varchar",
        list(enumerate(FINAL, start=1)),
    )
    _insert(
        connection,
        "intermediate.int_overrides_dated",
        "account_sk bigint, override_tier varchar, valid_from date, valid_to date, problem varchar",
        [
            (4, "B", datetime.date(2023, 12, 15), AS_OF, None),
            (4, "A", datetime.date(2023, 1, 1), datetime.date(2023, 12, 31), None),  # expired
            (1, "C", datetime.date(2023, 1, 1), AS_OF, "orphan"),
        ],
    )
    _insert(
        connection,
        "intermediate.int_deliveries_counted",
        "entity varchar, rows_loaded bigint",
        [("invoice_lines", 60), ("invoice_lines", 40), ("accounts", 6), ("tier_overrides", 3)],
    )
    _insert(
        connection,
        "intermediate.int_account_windows",
        "account_sk bigint, as_of date, line_count bigint, turnover decimal(18,4), "
        "costed_turnover decimal(18,4)",
        [
            (number, AS_OF, int(key in CURVE), Decimal(abs(CURVE.get(key, (0,))[0])), Decimal(0))
            for number, key in enumerate(FINAL, start=1)
        ],
    )
