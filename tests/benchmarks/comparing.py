"""Whether two sets of marts are the same, row by row: no ratio is given of unequal results.

Belongs here: what is compared and how. Money, ranks, tiers, dates and keys must be equal; shares are
doubles, which engines may round to another last digit.
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
    """A mart's key, its columns that must be equal with their types, and its shares."""

    key: tuple[str, ...]
    exact: dict[str, str]
    shares: tuple[str, ...] = ()


MONEY = "decimal(30, 4)"
TIERED = {"revenue": MONEY, "gross_margin": MONEY} | {
    name: "varchar" for name in ("revenue_tier", "gross_margin_tier")
}
SHARES = ("revenue_share", "revenue_share_before", "gross_margin_share_before")
COMPARED = {
    "account_tiers": Compared(
        ("account_key", "as_of"), TIERED | {"revenue_rank": "bigint"}, SHARES
    ),
    "account_tier_history": Compared(("account_key", "as_of"), TIERED, SHARES),
    "account_monthly": Compared(
        ("account_key", "month"),
        {"revenue": MONEY, "cost": MONEY, "gross_margin": MONEY, "invoice_count": "bigint"},
    ),
}


def assert_equal_marts(marts: Path, by_hand: Path, *, who: str, spill: Path) -> None:
    """Compares marts (Parquet files, or folders of them) with those of the hand-written DuckDB script.

    Raises:
        StageError: names the mart and shows a row that only one of the two has.
    """
    settings = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    with duckdb.connect(config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        for mart, compared in COMPARED.items():
            ours, theirs = (_files(folder, mart) for folder in (marts, by_hand))
            _assert_same_rows(connection, mart, compared, {who: ours, "DuckDB script": theirs})
            if compared.shares:
                _assert_near_shares(connection, mart, compared, ours, theirs)


def published_marts(published: Path) -> Path:
    """The folder of the live release's marts."""
    release = json.loads((published / "current.json").read_bytes())["release_id"]
    return published / "releases" / str(release) / "marts"


def _files(folder: Path, mart: str) -> str:
    path = folder / f"{mart}.parquet"
    return f"{path}/*.parquet" if path.is_dir() else str(path)


def _assert_same_rows(
    connection: duckdb.DuckDBPyConnection, mart: str, compared: Compared, sides: dict[str, str]
) -> None:
    keys = [f"{name}::{'varchar' if name == 'account_key' else 'date'}" for name in compared.key]
    columns = ", ".join([*keys, *(f"{name}::{kind}" for name, kind in compared.exact.items())])
    for side, other in (tuple(sides), tuple(reversed(sides))):
        row = connection.execute(
            f"(select {columns} from '{sides[side]}' except all select {columns} from '{sides[other]}')"
            " limit 1"
        ).fetchone()
        if row is not None:
            raise StageError(f"{mart}: only the {side} has {row}; no ratio of unequal results")


def _assert_near_shares(
    connection: duckdb.DuckDBPyConnection, mart: str, compared: Compared, ours: str, theirs: str
) -> None:
    differs = " or ".join(
        f"(ours.{name} is null) != (theirs.{name} is null)"
        f" or abs(ours.{name} - theirs.{name}) > {SHARE_TOLERANCE}"
        for name in compared.shares
    )
    row = connection.execute(
        f"select ours.account_key, {', '.join(f'ours.{n}, theirs.{n}' for n in compared.shares)}"
        f" from '{ours}' as ours inner join '{theirs}' as theirs using ({', '.join(compared.key)})"
        f" where {differs} limit 1"
    ).fetchone()
    if row is not None:
        raise StageError(f"{mart}: shares differ in {row}; no ratio of unequal results")
