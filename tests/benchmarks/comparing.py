"""Whether two sets of marts are the same, row by row: no ratio is given of unequal results.

Belongs here: what is compared and how. Each mart and column that the DuckDB script makes is compared. Money,
ranks, tiers, dates, words and keys must be equal; shares are doubles, which engines may round to another last
digit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.benchmarks.measuring import StageError

MEMORY_LIMIT = "2GB"
SHARE_TOLERANCE = 2e-12


@dataclass(frozen=True)
class Compared:
    """A mart's key, its columns that must be equal with their types, its shares, and which rows count."""

    key: tuple[str, ...]
    exact: dict[str, str]
    shares: tuple[str, ...] = ()
    rows: str = "true"


MONEY = "decimal(30, 4)"
TIERED = {"revenue": MONEY, "gross_margin": MONEY} | {
    name: "varchar" for name in ("revenue_tier", "gross_margin_tier")
}
SHARES = ("revenue_share", "revenue_share_before", "gross_margin_share_before")
# What every script makes.
CORE = {
    "account_tiers": Compared(
        ("account_key", "as_of"), TIERED | {"revenue_rank": "bigint"}, SHARES
    ),
    "account_tier_history": Compared(("account_key", "as_of"), TIERED, SHARES),
    "account_monthly": Compared(
        ("account_key", "month"),
        {"revenue": MONEY, "cost": MONEY, "gross_margin": MONEY, "invoice_count": "bigint"},
    ),
}
# The marts of the whole DuckDB script; all columns that it writes are compared.
KEYS = {
    "account_aliases": ("alias_key",),
    "account_coverage": ("account_key",),
    "account_members": ("account_key", "source_entity", "source_id"),
    "account_monthly": ("account_key", "month"),
    "account_plays": ("account_key", "play_rank"),
    "account_tier_history": ("account_key", "as_of"),
    "account_tiers": ("account_key",),
    "base_at_risk": ("account_key", "reason"),
    "owner_capacity": ("owner_key",),
    "pareto_curve": ("scheme", "account_key"),
    "portfolio_concentration": ("scheme", "as_of"),
    "published_tiers": ("account_key", "as_of"),
    "service_balance": ("final_tier",),
    "tier_migration": ("as_of", "from_tier", "to_tier"),
    "tier_moves": ("account_key", "as_of", "move_kind"),
}
# What was published before speaks in these, and a script has published nothing before.
OF_EARLIER_RELEASES = {"account_tiers": ("previous_tier", "move_cause")}
MONTHLY_MOVES = "move_kind = 'monthly'"


def assert_equal_marts(
    marts: Path, by_hand: Path, *, who: str, spill: Path, is_later: bool = False
) -> None:
    """Compares marts with all that the whole DuckDB script made of the same input.

    Args:
        is_later: releases were made before, of which the script knows nothing.

    Raises:
        StageError: names the mart and shows a row that only one of the two has.
    """
    with _connected(spill) as connection:
        for mart, key in KEYS.items():
            if is_later and mart == "published_tiers":
                continue
            left_out = (*key, *OF_EARLIER_RELEASES.get(mart, ())) if is_later else key
            found = connection.execute(f"describe from '{_files(by_hand, mart)}'").fetchall()
            types = {str(name): str(kind) for name, kind, *_ in found if name not in left_out}
            compared = Compared(
                key,
                {name: _common(kind) for name, kind in types.items() if kind != "DOUBLE"},
                tuple(name for name, kind in types.items() if kind == "DOUBLE"),
                MONTHLY_MOVES if is_later and mart == "tier_moves" else "true",
            )
            _assert_equal(connection, mart, compared, marts, by_hand, who)


def assert_equal_core(marts: Path, by_hand: Path, *, who: str, spill: Path) -> None:
    """Compares the core's marts (Parquet files, or folders of them) with those of a DuckDB script.

    Raises:
        StageError: names the mart and shows a row that only one of the two has.
    """
    with _connected(spill) as connection:
        for mart, compared in CORE.items():
            _assert_equal(connection, mart, compared, marts, by_hand, who)


def published_marts(published: Path) -> Path:
    """The folder of the live release's marts."""
    release = json.loads((published / "current.json").read_bytes())["release_id"]
    return published / "releases" / str(release) / "marts"


def _connected(spill: Path) -> duckdb.DuckDBPyConnection:
    settings = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    connection = duckdb.connect(config=settings)
    connection.execute("set enable_progress_bar = false")
    return connection


def _files(folder: Path, mart: str) -> str:
    path = folder / f"{mart}.parquet"
    return f"{path}/*.parquet" if path.is_dir() else str(path)


def _common(kind: str) -> str:
    """The type in which two engines' columns of a kind are compared."""
    if kind.startswith("DECIMAL"):
        return "decimal(38, 4)"
    return "bigint" if kind.endswith(("INT", "INTEGER")) else kind


def _assert_equal(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    compared: Compared,
    marts: Path,
    by_hand: Path,
    who: str,
) -> None:
    ours, theirs = (
        f"(from '{_files(folder, mart)}' where {compared.rows})" for folder in (marts, by_hand)
    )
    _assert_same_rows(connection, mart, compared, {who: ours, "DuckDB script": theirs})
    if compared.shares:
        _assert_near_shares(connection, mart, compared, ours, theirs)


def _assert_same_rows(
    connection: duckdb.DuckDBPyConnection, mart: str, compared: Compared, sides: dict[str, str]
) -> None:
    keys = [_key(name) for name in compared.key]
    columns = ", ".join([*keys, *(f"{name}::{kind}" for name, kind in compared.exact.items())])
    for side, other in (tuple(sides), tuple(reversed(sides))):
        row = connection.execute(
            f"(select {columns} from {sides[side]} except all select {columns} from {sides[other]})"
            " limit 1"
        ).fetchone()
        if row is not None:
            raise StageError(f"{mart}: only the {side} has {row}; no ratio of unequal results")


def _key(name: str) -> str:
    return f"{name}::date" if name in {"as_of", "month"} else f"{name}::varchar"


def _assert_near_shares(
    connection: duckdb.DuckDBPyConnection, mart: str, compared: Compared, ours: str, theirs: str
) -> None:
    differs = " or ".join(
        f"(ours.{name} is null) != (theirs.{name} is null)"
        f" or abs(ours.{name} - theirs.{name}) > {SHARE_TOLERANCE}"
        for name in compared.shares
    )
    row = connection.execute(
        f"select ours.{compared.key[0]}, {', '.join(f'ours.{n}, theirs.{n}' for n in compared.shares)}"
        f" from {ours} as ours inner join {theirs} as theirs using ({', '.join(compared.key)})"
        f" where {differs} limit 1"
    ).fetchone()
    if row is not None:
        raise StageError(f"{mart}: shares differ in {row}; no ratio of unequal results")
