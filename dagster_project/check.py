"""`kam check` and `kam profiles`: what delivered files look like, and how they are read."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from rich.markdown import Markdown

from dagster_project.commands import Call, ExitCode
from dagster_project.lib import shown
from dagster_project.lib.extracts.profile import (
    Profile,
    ProfileError,
    load_profile,
    profile_files,
    read_profile,
)
from dagster_project.lib.extracts.profile_page import page
from dagster_project.lib.extracts.proposals import proposals
from dagster_project.lib.landing import land_everything
from dagster_project.lib.progress import shown as progress
from dagster_project.lib.rejections import frequent_reasons
from dagster_project.lib.words import LANGUAGES
from dagster_project.settings import SettingsError


def run_check(call: Call) -> ExitCode:
    """`kam check`: lands into a folder that is thrown away, and says what the folders look like."""
    with tempfile.TemporaryDirectory(prefix="kam-check-") as folder:
        settings = call.settings.model_copy(update={"out": Path(folder)})
        with progress(call.errors, quiet=call.as_json):
            report = land_everything(settings, scratch=Path(folder))
        reasons = frequent_reasons(report, settings.raw)
    looks = proposals(settings.landing, profiles=settings.profiles, own=settings.own_profiles)
    share = call.policy.gate.max_rejected_share
    over = [
        f"{extract}: {rejected} of {read} rows rejected, more than the policy's share of {share}"
        for extract, read, rejected in report.extracts()
        if rejected > share * read
    ]
    if call.as_json:
        call.answer(
            report.model_dump(mode="json")
            | {
                "over_the_rejected_share": over,
                "rejected_rows": [reason.model_dump() for reason in reasons],
                "profiles": [dataclasses.asdict(look) for look in looks],
            }
        )
    else:
        shown.landing(call.console, report)
        shown.columns_absent(call.console, report)
        for look in looks:
            call.console.print(str(look), markup=False, highlight=False, soft_wrap=True)
        shown.rejections(call.console, reasons)
        for text in over:
            call.errors.print(text, style="red", markup=False, soft_wrap=True)
    for text in report.errors:
        call.errors.print(text, style="red", markup=False, soft_wrap=True)
    if report.errors:
        return ExitCode.UNREADABLE
    return ExitCode.GATE_FAILED if over else ExitCode.DONE


def run_profiles(call: Call) -> ExitCode:
    """`kam profiles`: the list, or the page of one."""
    if call.flags["lang"] not in LANGUAGES:
        raise SettingsError(f"--lang {call.flags['lang']}: write one of {', '.join(LANGUAGES)}")
    own, lang = call.settings.own_profiles, call.flags["lang"]
    name = call.flags["name"]
    if name:
        text = page(load_profile(name, own), lang=lang)
        if call.as_json:
            call.answer({"profile": name, "page": text})
        elif call.console.is_terminal:
            call.console.print(Markdown(text))
        else:
            call.console.print(text, markup=False, highlight=False, soft_wrap=True)
        return ExitCode.DONE
    known: dict[str, Profile] = {}
    for name, path in sorted(profile_files(own).items()):
        try:
            known[name] = read_profile(path)
        except ProfileError as error:
            call.errors.print(str(error), style="red", markup=False, soft_wrap=True)
    if call.as_json:
        call.answer({"profiles": {name: profile.title for name, profile in known.items()}})
        return ExitCode.DONE
    rows = [
        [name, profile.title.get(lang, name), ", ".join(profile.entities)]
        for name, profile in known.items()
    ]
    call.console.print(
        shown.table("Source profiles", ["profile", "what it reads", "entities"], rows)
    )
    return ExitCode.DONE
