"""`kam audiences`: which audience files the live release has, for whom, and who is not in them.

Belongs here: choosing and showing. The files were written with the release and are not touched.
"""

from __future__ import annotations

from dagster_project.commands import Call, ExitCode, live_release
from dagster_project.lib.audiences.destinations import AudienceError, chosen_destinations
from dagster_project.lib.audiences.records import read_audience_manifest
from dagster_project.lib.audiences.summary import AudienceSummary, summarised
from dagster_project.lib.shown import table
from dagster_project.settings import SettingsError

COLUMNS = ["destination", "audience", "rows", "add", "remove", "left out", "files"]


def run_audiences(call: Call) -> ExitCode:
    """Shows the live release's audiences.

    Raises:
        SettingsError: nothing is published, a destination is not known, or the release has no list.
    """
    try:
        destinations = chosen_destinations(tuple(call.flags.get("destinations") or ()))
    except AudienceError as error:
        raise SettingsError(f"--{error}") from None
    live = live_release(call.settings)
    try:
        manifest = read_audience_manifest(live.audiences)
    except FileNotFoundError:
        raise SettingsError(
            f"release {live.release_id} has no audience files; run kam refresh --full"
        ) from None
    found = summarised(manifest, destinations)
    if call.as_json:
        call.answer(
            {
                "release_id": live.release_id,
                "folder": str(live.audiences),
                "audiences": [summary.model_dump() for summary in found],
            }
        )
        return ExitCode.DONE
    title = f"Audiences of {live.release_id}, as of {live.manifest.as_of}"
    call.console.print(table(title, COLUMNS, [_shown(summary) for summary in found]))
    call.console.print(f"files are in {live.audiences}", highlight=False, soft_wrap=True)
    if any(_is_hopeless(summary) for summary in found):
        call.console.print(
            "where no other list is named, no wider one reaches the minimum either",
            highlight=False,
        )
    shown = {summary.destination for summary in found}
    for destination in destinations:
        if destination.note and destination.name in shown:
            call.console.print(f"{destination.name}: {destination.note}", highlight=False)
    absent = [d.name for d in destinations if d.name not in shown]
    if absent:
        call.console.print(
            f"this release has nothing for {', '.join(absent)}; run kam refresh --full",
            highlight=False,
        )
    return ExitCode.DONE


def _shown(summary: AudienceSummary) -> list[object]:
    counts = [summary.added, summary.removed]
    return [
        summary.destination,
        summary.audience,
        summary.rows,
        *["-" if count is None else count for count in counts],
        ", ".join(f"{count} {reason}" for reason, count in summary.left_out.items()) or "-",
        _files(summary),
    ]


def _files(summary: AudienceSummary) -> str:
    names = [file.partition("/")[2] for file in summary.files]
    if summary.status != "below_minimum":
        return ", ".join(names)
    advice = "" if _is_hopeless(summary) else f": take {summary.wider_audience}"
    return "; ".join([f"below the minimum of {summary.minimum_rows}{advice}", *names])


def _is_hopeless(summary: AudienceSummary) -> bool:
    return summary.status == "below_minimum" and summary.wider_audience is None
