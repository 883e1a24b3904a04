"""What each command of `kam` does: settings and policy in, a result on standard output, an exit code out.

Belongs here: gathering, showing and exit codes. What a command is about lies in `refresh.py` and `lib/`.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from dagster_project.lib import shown
from dagster_project.lib.progress import shown as progress
from dagster_project.policy import Policy, PolicyError, load_policy
from dagster_project.settings import (
    Settings,
    SettingsError,
    current_environment,
    load_settings,
    parse_profiles,
)

if TYPE_CHECKING:
    from dagster_project.lib.release.live import LiveRelease

DEMO_LANDING = "demo_landing"
LAST_RUNS = 5
PIPE_WIDTH = 120
NOT_SETTINGS = (
    *("account", "moves", "lang", "name", "destinations", "since", "to", "send"),
    *("email", "domain", "removals", "dry_run"),
)
INTERRUPTED = 130


class ExitCode(IntEnum):
    """The exit codes of `kam`."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    GATE_FAILED = 3
    UNREADABLE = 4


@dataclass(frozen=True)
class Call:
    """One call of a command; results go to `console`, progress and errors to `errors`."""

    settings: Settings
    policy: Policy
    flags: Mapping[str, Any]
    as_json: bool
    console: Console
    errors: Console

    def answer(self, record: Mapping[str, Any]) -> None:
        """Prints the result for programs."""
        self.console.print_json(json.dumps(record, default=str), indent=2)


Command = Callable[[Call], ExitCode]


def run_command(
    command: Command, flags: Mapping[str, Any], *, settings: Path | None, as_json: bool, debug: bool
) -> int:
    """Runs a command; an error becomes one or two lines on standard error and its exit code."""
    console, errors = _console(), _console(stderr=True)
    _quiet_libraries(debug)
    try:
        call = _call(flags, settings, as_json=as_json, console=console, errors=errors)
        return int(command(call))
    except BaseException as error:
        if isinstance(error, SystemExit):
            # rich ends the process where nobody reads on (`kam explain X | head`), as click does
            return error.code if isinstance(error.code, int) else int(ExitCode.FAILED)
        if not isinstance(error, Exception):
            # KeyboardInterrupt, or Dagster's own exception for it
            errors.print("interrupted; nothing published")
            return INTERRUPTED
        if debug:
            traceback.print_exc()
        errors.print(str(error) or type(error).__name__, style="red", markup=False, soft_wrap=True)
        return int(_code_of(error))


def run_demo(call: Call) -> ExitCode:
    """`kam demo`."""
    from dagster_project.demo import generate

    landing = call.settings.out / DEMO_LANDING
    if not (landing / "truth.json").is_file():
        with progress(call.errors, quiet=call.as_json):
            logging.getLogger("dagster_project.demo").info(
                "writing the demo company to %s", landing
            )
            generate(landing)
    return run_refresh(
        replace(call, settings=call.settings.model_copy(update={"landing": landing}))
    )


def run_refresh(call: Call) -> ExitCode:
    """`kam refresh`."""
    from dagster_project.lib.headline import read_headline
    from dagster_project.lib.notices.message import short_lines
    from dagster_project.lib.notices.news import read_news
    from dagster_project.lib.run_folder import read_notices
    from dagster_project.notices import tell_outcome, told_if_it_cannot_begin
    from dagster_project.refresh import refresh

    with progress(call.errors, quiet=call.as_json), told_if_it_cannot_begin(call.settings):
        outcome = refresh(call.settings, call.policy)
        undelivered = tell_outcome(call.settings, outcome).warnings
    code = {
        "published": ExitCode.DONE,
        "nothing_to_do": ExitCode.DONE,
        "target_behind": ExitCode.FAILED,
        "gate_failed": ExitCode.GATE_FAILED,
        "unreadable": ExitCode.UNREADABLE,
        "failed": ExitCode.FAILED,
    }[outcome.status]
    figures = read_headline(outcome.release) if outcome.release else None
    if call.as_json:
        call.answer(
            {
                "status": outcome.status,
                "seconds": round(outcome.seconds, 1),
                "error": outcome.error or None,
                "failed_checks": [check.row() for check in outcome.failed_checks],
                "targets_caught_up": list(outcome.caught_up),
                "schema_changes": outcome.landing.schema_changes if outcome.landing else [],
                "release": figures.model_dump(mode="json") if figures else None,
                "news": read_news(outcome.release).model_dump(mode="json")
                if outcome.release and outcome.status == "published"
                else None,
                "notice_warnings": [
                    *undelivered,
                    *(read_notices(outcome.run_folder) if outcome.run_folder else ()),
                ],
            }
        )
        return code
    if code is not ExitCode.DONE:
        _say_why_not(call, outcome)
        return code
    assert figures is not None
    if outcome.status == "nothing_to_do":
        call.console.print("nothing to do: the live release is of the same files, policy and day")
        for name in outcome.caught_up:
            call.console.print(f"target {name} was behind, and has the live release now")
    else:
        shown.warnings(call.console, outcome.checks)
        if outcome.landing is not None:
            call.console.print(
                f"{outcome.landing.rows_read:,} rows of {len(outcome.landing.files)} files, "
                f"{outcome.landing.rows_rejected:,} rejected by the readers; "
                f"published in {outcome.seconds:.0f} s",
                highlight=False,
            )
    shown.headline(call.console, figures)
    if outcome.status == "published" and outcome.release:
        shown.lines(
            call.console, short_lines(read_news(outcome.release), call.settings.notices.language)
        )
    return code


def run_status(call: Call) -> ExitCode:
    """`kam status`."""
    from dagster_project.last_runs import last_runs
    from dagster_project.lib.headline import read_headline
    from dagster_project.lib.notices.message import short_lines
    from dagster_project.lib.notices.news import read_news
    from dagster_project.lib.release.live import read_live
    from dagster_project.lib.targets.state import target_states

    live = read_live(call.settings.published)
    runs = last_runs(call.settings, LAST_RUNS)
    news = read_news(live) if live else None
    audiences = _audience_counts(live)
    age = datetime.now(UTC).replace(tzinfo=None) - live.manifest.run_at if live else None
    fresh = age is not None and age < timedelta(hours=call.settings.freshness_hours)
    figures = read_headline(live) if live else None
    targets = target_states(
        call.settings.targets,
        live=live.release_id if live else None,
        environment=current_environment(),
    )
    if call.as_json:
        call.answer(
            {
                "release": figures.model_dump(mode="json") if figures else None,
                "targets": [target.model_dump() for target in targets],
                "policy": live.manifest.policy.model_dump()
                if live and live.manifest.policy
                else None,
                "policy_sha256": live.manifest.policy_sha256 if live else None,
                "is_fresh": fresh,
                "age_hours": round(age.total_seconds() / 3600, 2) if age else None,
                "checks": [check.model_dump() for check in live.manifest.checks] if live else [],
                "news": news.model_dump(mode="json") if news else None,
                "audiences": audiences,
                "runs": [run.model_dump(mode="json") for run in runs],
            }
        )
        return ExitCode.DONE
    if live is None or figures is None or age is None or news is None:
        call.console.print(f"no release is live in {call.settings.published}; run kam refresh")
    else:
        shown.headline(call.console, figures)
        call.console.print(Text(shown.policy_line(live.manifest)), soft_wrap=True)
        failed = [check for check in live.manifest.checks if not check.passed]
        call.console.print(
            f"published {age.total_seconds() / 3600:.1f} hours ago: {'fresh' if fresh else 'stale'}; "
            f"{len(live.manifest.checks)} checks, {len(failed)} with a warning",
            highlight=False,
        )
        for check in failed:
            call.console.print(f"  {check.asset}: {check.name}: {check.observed}", markup=False)
        shown.lines(call.console, short_lines(news, call.settings.notices.language))
        if audiences:
            call.console.print(
                "audiences: {files} files for {destinations} destinations, {below_minimum} audiences below "
                "the minimum; see kam audiences".format(**audiences),
                highlight=False,
            )
    for target in targets:
        call.console.print(Text(target.line()), soft_wrap=True)
    if runs:
        call.console.print(
            shown.table(
                "Last runs",
                ["began", "run", "ended as", "seconds", "what failed"],
                [
                    [
                        run.began,
                        run.run_id[:8],
                        run.status,
                        None if run.seconds is None else round(run.seconds),
                        run.failed,
                    ]
                    for run in runs
                ],
            )
        )
    return ExitCode.DONE


def _audience_counts(live: LiveRelease | None) -> dict[str, int] | None:
    """Of the live release's audience files; None where it has none."""
    from dagster_project.lib.audiences.records import MANIFEST, read_audience_manifest

    if live is None or not (live.audiences / MANIFEST).is_file():
        return None
    manifest = read_audience_manifest(live.audiences)
    return {
        "files": sum(entry.file is not None for entry in manifest.files),
        "destinations": len({entry.destination for entry in manifest.files}),
        "below_minimum": len(manifest.below_minimum()),
    }


def run_notice(call: Call) -> ExitCode:
    """`kam notice`."""
    from dagster_project.lib.notices.message import of_release
    from dagster_project.lib.notices.news import read_news
    from dagster_project.notices import is_set, send_release

    settings = call.settings
    news = read_news(live_release(settings))
    message = of_release(news, settings.notices.language, settings.notices.only)
    if call.flags.get("send") and not is_set(settings):
        raise SettingsError(
            f"environment {settings.notices.urls_variable}: empty; put the addresses into it"
        )
    sent = send_release(settings, news) if call.flags.get("send") else None
    if call.as_json:
        call.answer(
            {
                "title": message.title if message else None,
                "body": message.body if message else None,
                "news": news.model_dump(mode="json"),
                "delivered": sent.delivered if sent else None,
                "warnings": list(sent.warnings) if sent else [],
            }
        )
    elif message is None:
        call.console.print("nothing to tell: notices.only names neither moves nor at_risk")
    else:
        shown.lines(call.console, [message.title, *message.body.splitlines()])
    if sent is None:
        return ExitCode.DONE
    for warning in sent.warnings:
        call.errors.print(warning, style="yellow", markup=False, soft_wrap=True)
    if not call.as_json:
        call.console.print(f"delivered to {sent.delivered} addresses", highlight=False)
    return ExitCode.FAILED if sent.warnings else ExitCode.DONE


def live_release(settings: Settings) -> LiveRelease:
    """What a command that only shows works on.

    Raises:
        SettingsError: nothing is published.
    """
    from dagster_project.lib.release.live import read_live

    live = read_live(settings.published)
    if live is None:
        raise SettingsError(
            f"no release is live in {settings.published}; run kam refresh, or give its --out"
        )
    return live


def run_explain(call: Call) -> ExitCode:
    """`kam explain`."""
    from dagster_project.lib.explained import explain
    from dagster_project.lib.shown_story import story
    from dagster_project.lib.words import LANGUAGES, Words

    language = str(call.flags.get("lang") or "en")
    if language not in LANGUAGES:
        raise SettingsError(f"--lang {language}: write one of {', '.join(LANGUAGES)}")
    say = Words(language)
    live = live_release(call.settings)
    told = explain(live, call.flags["account"], warehouse=call.settings.warehouse)
    if call.as_json:
        call.answer(told | {"sentence": say.sentence(str(told["account"]["tier_reason"]))})
    else:
        story(call.console, told, say)
    return ExitCode.DONE


def _console(*, stderr: bool = False) -> Console:
    """A terminal has its width; a file or a pipe gets room enough for whole amounts."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_WIDTH)


def _call(
    flags: Mapping[str, Any],
    settings_file: Path | None,
    *,
    as_json: bool,
    console: Console,
    errors: Console,
) -> Call:
    given = {name: value for name, value in flags.items() if name not in NOT_SETTINGS}
    if given.get("profiles"):
        given["profiles"] = parse_profiles(given["profiles"])
    settings = load_settings(settings_file, given)
    policy = load_policy(settings.policy)
    if problems := policy.unsupported():
        raise PolicyError(
            f"policy {settings.policy}: not built yet: {'; '.join(problems)}\n"
            "Take these keys out, so that the default policy's stand."
        )
    return Call(settings, policy, flags, as_json, console, errors)


def _say_why_not(call: Call, outcome: Any) -> None:
    if outcome.status == "gate_failed":
        shown.failed_checks(call.errors, outcome.failed_checks)
        call.errors.print(
            f"{len(outcome.failed_checks)} checks failed: nothing published"
            + ("; the live release is as it was" if outcome.release else ""),
            highlight=False,
        )
    else:
        call.errors.print(outcome.error, style="red", markup=False, soft_wrap=True)
        call.errors.print(
            f"release {outcome.release.release_id} is live; a target is behind, which the next kam refresh brings up"
            if outcome.status == "target_behind"
            else "nothing published",
            highlight=False,
            soft_wrap=True,
        )


def _code_of(error: Exception) -> ExitCode:
    from dagster_project.lib.explained import AccountNotFoundError
    from dagster_project.lib.extracts.errors import ExtractError
    from dagster_project.lib.extracts.profile import ProfileError
    from dagster_project.lib.simulation.errors import SimulationError

    said_wrongly = (SettingsError, PolicyError, ProfileError, AccountNotFoundError, SimulationError)
    if isinstance(error, said_wrongly):
        return ExitCode.WRONG_USAGE
    return ExitCode.UNREADABLE if isinstance(error, ExtractError) else ExitCode.FAILED


def _quiet_libraries(debug: bool) -> None:
    """Without --debug only the project's own words are said; warnings of libraries go nowhere."""
    import warnings

    logging.lastResort = logging.NullHandler()
    if debug:
        logging.basicConfig(level=logging.INFO)
    else:
        warnings.simplefilter("ignore")
