"""`kam backtest`: how well the live release's potential would have told the revenue since."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.commands import Call, ExitCode, live_release
from dagster_project.lib.shown import table
from dagster_project.settings import SettingsError

MART = "potential_backtest"
DECLARED = "basis_declared"


def run_backtest(call: Call) -> ExitCode:
    """Shows the mart as it was published; a poor figure is a figure, not an error.

    Raises:
        SettingsError: nothing is published, or the release has no such mart.
    """
    live = live_release(call.settings)
    if MART not in {mart.name for mart in live.manifest.marts}:
        raise SettingsError(f"release {live.release_id} has no {MART}; run kam refresh --full")
    with duckdb.connect() as connection:
        found = connection.execute(
            "select * from read_parquet(?) order by metric, population", [str(live.mart(MART))]
        )
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    if call.as_json:
        call.answer({"release_id": live.release_id, "figures": rows})
        return ExitCode.DONE
    if not rows:
        call.console.print(f"{MART} is empty: its seed backtest_metrics names no metric")
        return ExitCode.DONE
    title = (
        f"Potential as of {rows[0]['potential_as_of']} against the revenue until {rows[0]['as_of']}"
    )
    columns = ["metric", "population", "figure", "at least", "met", "accounts"]
    call.console.print(table(title, columns, [_shown(row) for row in rows]))
    if any(row["population"] == DECLARED and row["account_count"] for row in rows):
        call.console.print(
            "a declared potential is the CRM's of today, not of then: what sales learned since is in it, so "
            "basis declared, and all that holds it, look better than they were",
            highlight=False,
            soft_wrap=True,
        )
    missed = [row for row in rows if row["is_met"] is False]
    if missed:
        call.console.print(
            f"{len(missed)} figures miss what the company asks for: read potential as a guess",
            highlight=False,
        )
    return ExitCode.DONE


def _judged(row: dict[str, Any]) -> str:
    """Yes, no, or why it is neither."""
    if row["minimum"] is None:
        return "-"
    count, least = row["account_count"], row["min_accounts"] or 0
    if count < least:
        return f"too few accounts ({count} < {least})"
    return {True: "yes", False: "no", None: "-"}[row["is_met"]]


def _shown(row: dict[str, Any]) -> list[Any]:
    return [
        row["metric"].replace("_", " "),
        row["population"].replace("_", " "),
        "-" if row["figure"] is None else f"{row['figure']:.3f}",
        "-" if row["minimum"] is None else f"{row['minimum']:.3f}",
        _judged(row),
        row["account_count"],
    ]
