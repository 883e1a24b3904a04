"""`kam backtest`: how well the live release's potential would have told the revenue since."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.commands import Call, ExitCode, live_release
from dagster_project.lib.shown import table
from dagster_project.settings import SettingsError

MART = "potential_backtest"


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
    missed = [row for row in rows if row["is_met"] is False]
    if missed:
        call.console.print(
            f"{len(missed)} figures miss what the company asks for: read potential as a guess",
            highlight=False,
        )
    return ExitCode.DONE


def _shown(row: dict[str, Any]) -> list[Any]:
    return [
        row["metric"].replace("_", " "),
        row["population"].replace("_", " "),
        "-" if row["figure"] is None else f"{row['figure']:.3f}",
        "-" if row["minimum"] is None else f"{row['minimum']:.3f}",
        row["is_met"],
        row["account_count"],
    ]
