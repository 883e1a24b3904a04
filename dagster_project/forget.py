"""`kam forget`: takes a person, a domain's people or an account out of everything that the output folder keeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from dagster_project.commands import Call, ExitCode
from dagster_project.lib import shown
from dagster_project.lib.forgetting.accounts import SubjectError
from dagster_project.lib.forgetting.delivered import is_held
from dagster_project.lib.forgetting.everywhere import Forgotten, finish, forget_everywhere
from dagster_project.lib.forgetting.found import Subject, find_subject
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.release.live import read_live
from dagster_project.refresh import RunInProgressError
from dagster_project.settings import Settings, SettingsError

KINDS: tuple[Literal["email", "domain", "account"], ...] = ("email", "domain", "account")


def run_forget(call: Call) -> ExitCode:
    """`kam forget`."""
    subject = _subject(call)
    removals = call.flags.get("removals")
    is_dry = bool(call.flags.get("dry_run"))
    try:
        done = forget(
            call.settings,
            subject,
            is_dry=is_dry,
            removals=Path(removals) if removals else None,
        )
    except SubjectError as error:
        raise SettingsError(str(error)) from None
    if call.as_json:
        call.answer({"kind": subject.kind, "dry_run": is_dry} | dataclasses.asdict(done))
    else:
        _show(call, done, is_dry=is_dry)
    return ExitCode.DONE


def forget(
    settings: Settings, subject: Subject, *, is_dry: bool = False, removals: Path | None = None
) -> Forgotten:
    """Forgets, while no run works in the output folder.

    Raises:
        SettingsError: there is no output folder.
        SubjectError: the text is no address, domain or account.
        RunInProgressError: a run works in the output folder.
        LiveReleaseError: what is published is damaged.
        RecordError: the record of what was forgotten is damaged.
    """
    from filelock import FileLock, Timeout

    if not settings.out.is_dir():
        raise SettingsError(
            f"--out {settings.out}: no such folder; give the one that kam refresh wrote"
        )
    try:
        with FileLock(settings.out / ".lock").acquire(timeout=0):
            if is_held(settings.warehouse):
                raise RunInProgressError(
                    f"a run of the web UI works in {settings.out}; wait for it to end"
                )
            if not is_dry:
                finish(settings)
            known = read_record(settings.raw)
            live = read_live(settings.published)
            record = find_subject(subject, known, raw=settings.raw, live=live)
            return forget_everywhere(
                record,
                settings,
                is_new=record.fingerprint != known.fingerprint,
                is_dry=is_dry,
                removals=removals,
            )
    except Timeout:
        raise RunInProgressError(
            f"another run works in {settings.out}; wait for it to end, or give another --out"
        ) from None


def _subject(call: Call) -> Subject:
    given = [(kind, str(call.flags[kind])) for kind in KINDS if call.flags.get(kind)]
    if len(given) != 1:
        raise SettingsError("kam forget: give one of --email, --domain and --account")
    return Subject(*given[0])


def _show(call: Call, done: Forgotten, *, is_dry: bool) -> None:
    say = call.console.print
    if not done.places:
        say(
            "nothing is left: no place of the output folder names them; what comes later is filtered"
        )
    else:
        title = "Would be taken out" if is_dry else "Taken out"
        rows = [[place.place, place.removed, place.changed] for place in done.places]
        say(shown.table(title, ["place", "removed", "changed"], rows))
    if done.held:
        rows = [list(held) for held in done.held]
        title = "Destinations that hold them: take them off the lists there"
        say(shown.table(title, ["destination", "audience", "last release"], rows))
    for path in done.removals:
        say(f"  {path}", markup=False, highlight=False, soft_wrap=True)
    if done.still_delivered:
        say(
            "These files of the landing folder still hold somebody who was forgotten; they are yours, and are "
            "filtered each time they are read:",
            soft_wrap=True,
        )
        for name, count in done.still_delivered:
            rows_said = "1 row" if count == 1 else f"{count} rows"
            say(f"  {name}: {rows_said}", markup=False, highlight=False)
    for text in done.not_reached:
        say(f"Not reached: {text}", markup=False, highlight=False, soft_wrap=True)
    if done.places and not is_dry:
        say("Run kam refresh: the next release is made without them.")
