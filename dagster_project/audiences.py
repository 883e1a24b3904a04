"""`kam audiences`: which audience files the live release has, for whom, and who is not in them.

Belongs here: choosing and showing. The files were written with the release and are not touched; who did not load
those of some releases has what differs since then written into a folder of its own (`--since`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dagster_project.commands import Call, ExitCode, live_release
from dagster_project.lib.audiences.destinations import (
    AudienceError,
    Destination,
    chosen_destinations,
    with_list_ids,
)
from dagster_project.lib.audiences.records import SENT, read_audience_manifest
from dagster_project.lib.audiences.summary import AudienceSummary, summarised
from dagster_project.lib.audiences.write import write_since
from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.shown import table
from dagster_project.settings import SettingsError

KEPT_SHOWN = 5
COLUMNS = ["destination", "audience", "rows", "add", "remove", "left out", "files"]


def run_audiences(call: Call) -> ExitCode:
    """Shows the live release's audiences, or writes what differs since another one.

    Raises:
        SettingsError: nothing is published, a destination is not known, the release has no list, or what was asked
            to be written cannot be.
    """
    try:
        destinations = chosen_destinations(tuple(call.flags.get("destinations") or ()))
    except AudienceError as error:
        raise SettingsError(f"--{error}") from None
    live = live_release(call.settings)
    if call.flags.get("since") or call.flags.get("to"):
        return _run_since(call, live, destinations)
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
    if live.manifest.previous_release_id:
        call.console.print(
            f"add, remove and CRM files are those since {live.manifest.previous_release_id}; if its files were not "
            "loaded: kam audiences --since LAST_LOADED_RELEASE --to FOLDER",
            highlight=False,
            soft_wrap=True,
        )
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


def _run_since(call: Call, live: LiveRelease, destinations: Sequence[Destination]) -> ExitCode:
    since, target = call.flags.get("since"), call.flags.get("to")
    if not since or not target:
        raise SettingsError("kam audiences: --since RELEASE and --to FOLDER go together")
    folder = Path(target)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"--to {folder}: is there already; name a new folder")
    try:
        manifest = write_since(
            live=live.audiences,
            earlier=_kept(live, str(since)) / live.audiences.name,
            folder=folder,
            destinations=with_list_ids(destinations, call.settings.list_ids),
        )
    except AudienceError as error:
        raise SettingsError(str(error)) from None
    found = summarised(manifest, destinations)
    if call.as_json:
        call.answer(
            {
                "since": since,
                "release_id": live.release_id,
                "folder": str(folder),
                "audiences": [summary.model_dump() for summary in found],
            }
        )
        return ExitCode.DONE
    columns = ["destination", "audience", "changed", "add", "remove", "files"]
    rows = [
        [s.destination, s.audience, s.rows or "-", s.added or "-", s.removed or "-", _files(s)]
        for s in found
    ]
    call.console.print(table(f"From {since} to {live.release_id}", columns, rows))
    call.console.print(f"files are in {folder}", highlight=False, soft_wrap=True)
    return ExitCode.DONE


def _kept(live: LiveRelease, release_id: str) -> Path:
    """The folder of a kept release with audience files."""
    releases = sorted(path.parents[1].name for path in live.folder.parent.glob(f"*/*/{SENT}"))
    if release_id not in releases:
        newest = ", ".join(releases[-KEPT_SHOWN:][::-1])
        raise SettingsError(
            f"--since {release_id}: is not kept, or has no audience files; kept are {newest}"
            f"{' and older ones' if len(releases) > KEPT_SHOWN else ''}; before them load the whole lists"
        )
    return live.folder.parent / release_id


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
    said = [", ".join(names)] if names else []
    if summary.status == "below_minimum":
        advice = "" if _is_hopeless(summary) else f": take {summary.wider_audience}"
        said.insert(0, f"below the minimum of {summary.minimum_rows}{advice}")
    if summary.is_list_unknown:
        said.append(
            "neither additions nor removals: kam.yml has no "
            f"list_ids: {{{summary.destination}: {{{summary.audience}: Id}}}}"
        )
    return "; ".join(said)


def _is_hopeless(summary: AudienceSummary) -> bool:
    return summary.status == "below_minimum" and summary.wider_audience is None
