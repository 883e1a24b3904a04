"""The later part of an account's story: time, risks and plays, as far as the release has their marts."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from dagster_project.lib.shown import table
from dagster_project.lib.words import Words


def service(console: Console, told: dict[str, Any], say: Words) -> None:
    """Time planned and given, why the account is at risk, its next plays."""
    for row in told.get("coverage", ()):
        text = say(
            "{planned} h planned, {actual} h given ({status})",
            planned=say.money(row["planned_hours"]),
            actual=say.money(row["actual_hours"]),
            status=say(str(row["coverage_status"] or "no plan").replace("_", " ")),
        )
        console.print(say("Time: {hours}", hours=text), markup=False, highlight=False)
    if told.get("risks"):
        names = ("reason", "observed", "threshold", "severity")
        rows = [
            [
                say(str(risk["reason"]).replace("_", " ")),
                say.money(risk["observed"]),
                say.money(risk["threshold"]),
                say(str(risk["severity"])),
            ]
            for risk in told["risks"]
        ]
        console.print(table(say("Why it is at risk"), [say(name) for name in names], rows))
    if told.get("plays"):
        rows = [
            [
                play["title_" + say.language],
                say(str(play["play_kind"]).replace("_", " ")),
                say(str(play["play_trigger"]).replace("_", " ")),
                play["action_" + say.language],
            ]
            for play in told["plays"]
        ]
        titles = [say(name) for name in ("play", "kind", "because", "what to do")]
        console.print(table(say("Next plays"), titles, rows))
