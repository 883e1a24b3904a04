"""Tells people what a run did, by the settings `notices`: each release and each failed run once.

A notice that cannot be delivered is a warning. It never undoes a release and never fails a run.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.lib import run_folder
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.notices.message import (
    Failure,
    FailureKind,
    Message,
    of_failure,
    of_release,
)
from dagster_project.lib.notices.news import News, read_news
from dagster_project.lib.notices.send import NoticeError, deliver
from dagster_project.lib.notices.told import claim_failure, claim_release
from dagster_project.lib.release.live import LiveRelease, LiveReleaseError, read_live
from dagster_project.settings import Settings, notice_addresses

if TYPE_CHECKING:
    from dagster_project.refresh import Outcome

RELEASE_STEP = "exports__release"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """How the telling ended: delivered to so many addresses; warnings without any secret."""

    status: str
    delivered: int = 0
    warnings: tuple[str, ...] = ()


def tell_release(settings: Settings, release: LiveRelease) -> Sent:
    """Sends the news of a release, once; nothing where there is no news, unless the last word was a failure."""
    return _never_failing(lambda: _tell_release(settings, release))


def tell_failure(settings: Settings, failure: Failure) -> Sent:
    """Sends that a run did not publish, or that a step behind the release failed; once for each run."""
    return _never_failing(lambda: _tell_failure(settings, failure))


def send_release(settings: Settings, news: News) -> Sent:
    """Sends the news of a release, whether they were sent before or not."""
    message = of_release(news, settings.notices.language, settings.notices.only)
    return Sent("not asked for") if message is None else _send(settings, message)


def is_set(settings: Settings) -> bool:
    """Whether notices are to be sent: there are addresses, or the settings say that there should be."""
    return bool(notice_addresses(settings)) or settings.notices.is_asked_for


def failure_of(settings: Settings, run_id: str, *, error: str, released: bool) -> Failure:
    """What is to be told of a failed run, from what its steps left in its folder.

    Args:
        error: the first error, in the words that it gave itself.
        released: whether the run had published before it failed.
    """
    folder = settings.runs / run_id
    live = read_live(settings.published)
    landing = run_folder.read_landing(folder)
    stopping = [check for check in run_folder.read_checks(folder) if check.stops]
    kind: FailureKind = "failed"
    lines = error.splitlines()
    if released:
        kind = "behind"
    elif landing is not None and landing.errors:
        kind, lines = "unreadable", landing.errors
    elif stopping:
        kind = "gate_failed"
    return Failure(
        kind, run_id, checks=stopping, lines=lines, live=live.release_id if live else None
    )


def tell_outcome(settings: Settings, outcome: Outcome) -> Sent:
    """Tells of a refresh that failed; the graph itself tells of a release."""
    if outcome.status in ("published", "nothing_to_do") or outcome.run_folder is None:
        return Sent("no failure")
    return tell_failure(
        settings,
        failure_of(
            settings,
            outcome.run_folder.name,
            error=outcome.error,
            released=RELEASE_STEP in outcome.steps,
        ),
    )


@contextmanager
def told_if_it_cannot_begin(settings: Settings) -> Iterator[None]:
    """Tells of a refresh that ended before its run began: no landing folder, a damaged release."""
    try:
        yield
    except (ExtractError, LiveReleaseError) as error:
        kind: FailureKind = "unreadable" if isinstance(error, ExtractError) else "failed"
        tell_failure(
            settings, Failure(kind, run_id=str(uuid.uuid4()), lines=str(error).splitlines())
        )
        raise


def _tell_release(settings: Settings, release: LiveRelease) -> Sent:
    if not {"moves", "at_risk"} & set(settings.notices.only):
        return Sent("not asked for")
    told = claim_release(settings.out, release.release_id)
    if told is None:
        return Sent("told already")
    news = read_news(release)
    if news.is_empty and not told.last_was_failure:
        return Sent("no news")
    return send_release(settings, news)


def _tell_failure(settings: Settings, failure: Failure) -> Sent:
    if not is_set(settings):
        return Sent("not set")
    if "failures" not in settings.notices.only:
        return Sent("not asked for")
    if not claim_failure(settings.out, failure.run_id):
        return Sent("told already")
    return _send(settings, of_failure(failure, settings.notices.language))


def _never_failing(tell: Callable[[], Sent]) -> Sent:
    """What was sent, its warnings logged; an error becomes one of them."""
    try:
        sent = tell()
    except Exception as error:
        # By its kind alone: its text could quote what it worked on.
        warning = f"notice not made ({type(error).__name__}); `kam notice --debug` shows why"
        sent = Sent("failed", warnings=(warning,))
    for warning in sent.warnings:
        log.warning("%s", warning)
    return sent


def _send(settings: Settings, message: Message) -> Sent:
    variable = settings.notices.urls_variable
    addresses: Sequence[str] = notice_addresses(settings)
    if not addresses:
        return Sent(
            "not set",
            warnings=(
                f"notices: the environment variable {variable} is empty; put addresses into it, or take "
                "`notices` out of the settings",
            ),
        )
    try:
        undelivered = deliver(message, addresses)
    except NoticeError as error:
        return Sent("failed", warnings=(f"notices: {error}",))
    return Sent(
        "sent" if not undelivered else "not delivered",
        delivered=len(addresses) - len(undelivered),
        warnings=tuple(
            f"notice not delivered to address {failed.place} of {variable} ({failed.service}): "
            f"{failed.reason}; check it, then `kam notice --send` sends it again"
            for failed in undelivered
        ),
    )
