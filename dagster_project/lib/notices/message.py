"""A notice as text, in English or French: what goes to people after a run, and its short form on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.notices.news import AtRisk, Mover, News, Risk
from dagster_project.lib.words import Words

TEXTS_FILE = Path(__file__).with_name("texts.yml")
CHECKS_SHOWN = 8
LINES_SHOWN = 8
# An error may quote the value that could not be read.
ADDRESS = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")

FailureKind = Literal["gate_failed", "unreadable", "failed", "behind"]


@dataclass(frozen=True)
class Message:
    """What is sent."""

    title: str
    body: str
    is_failure: bool = False


@dataclass(frozen=True)
class Failure:
    """A run that did not publish, or (`behind`) published and then failed at a target.

    `lines` say why, for kinds without checks; `live` is the release that is live afterwards.
    """

    kind: FailureKind
    run_id: str
    checks: Sequence[CheckResult] = ()
    lines: Sequence[str] = ()
    live: str | None = None


class Texts:
    """One language's texts, their places filled."""

    def __init__(self, language: str) -> None:
        self.words = Words(language)
        self._said = _texts()[language]

    def __call__(self, name: str, **given: object) -> str:
        """The text of this name."""
        return str(self._said[name]).format(**given)

    def count(self, name: str, count: int, **given: object) -> str:
        """The text of this name for this many."""
        is_one = count == 1 or (count == 0 and self.words.language == "fr")
        said: Mapping[str, str] = self._said[name]
        return said["one" if is_one else "other"].format(count=self.number(count), **given)

    def number(self, number: int | Decimal) -> str:
        """Whole, with separators: a notice is read at a glance."""
        whole = f"{number:,.0f}"
        return whole if self.words.language == "en" else whole.replace(",", "\u00a0")

    def word(self, kind: str, name: str) -> str:
        """The word for a published value; one that is not known is said as it is."""
        return str(self._said[kind].get(name, name.replace("_", " ")))


def of_release(news: News, language: str, only: Sequence[str]) -> Message | None:
    """What is told of a release; None where the sections asked for hold nothing of it."""
    say = Texts(language)
    lines = list(_release_lines(say, news, only))
    if not lines:
        return None
    title = say("release_title", as_of=say.words.day(date.fromisoformat(news.as_of)))
    return Message(title, "\n".join([*lines, "", say("release", release=news.release_id)]))


def short_lines(news: News, language: str) -> list[str]:
    """For the terminal: the counts, each with its largest accounts."""
    say = Texts(language)
    lines = list(_moves(say, news, shown=3))
    lines += _risk(say, news, shown=3)
    return lines


def of_failure(failure: Failure, language: str) -> Message:
    """What is told of a run that did not publish."""
    say = Texts(language)
    if failure.kind == "gate_failed":
        lines = [say.count("gate_failed", len(failure.checks))]
        lines += [
            f"- {check.asset}: {check.check_name}: {check.observed}\n  {check.remedy}"
            for check in failure.checks[:CHECKS_SHOWN]
        ]
        hidden = len(failure.checks) - CHECKS_SHOWN
    else:
        lines = [say(failure.kind), *(f"- {line}" for line in failure.lines[:LINES_SHOWN])]
        hidden = len(failure.lines) - LINES_SHOWN
    if hidden > 0:
        lines.append(f"- {say.count('more', hidden)}")
    if failure.kind != "behind":
        live = say("live_stays", release=failure.live) if failure.live else say("nothing_live")
        lines += ["", live]
    body = "\n".join([*lines, say("run", run=failure.run_id)])
    return Message(say(f"{failure.kind}_title"), ADDRESS.sub("***", body), is_failure=True)


def _release_lines(say: Texts, news: News, only: Sequence[str]) -> Iterator[str]:
    if "moves" in only:
        yield from _moves(say, news, shown=len(news.entered.shown) + len(news.left.shown))
    if "at_risk" in only:
        yield from _risk(say, news, shown=len(news.at_risk.shown))
    if news.warnings and only:
        yield say.count("warnings", news.warnings)


def _moves(say: Texts, news: News, *, shown: int) -> Iterator[str]:
    if news.since == "release":
        yield say("since_release", previous=news.previous_release_id)
    else:
        yield say("since_month")
    if not news.entered.accounts and not news.left.accounts:
        yield say("nothing_moved", tier=news.tier)
        return
    for name, moves in (("entered", news.entered), ("left", news.left)):
        yield say.count(
            name,
            moves.accounts,
            tier=news.tier,
            revenue=say.number(moves.revenue),
            currency=news.currency,
        )
        yield from _listed(
            say, [_mover(say, mover, name) for mover in moves.shown[:shown]], moves.accounts
        )


def _mover(say: Texts, mover: Mover, way: str) -> str:
    if way == "entered":
        other, absent, moved = mover.from_tier, "came_new", "came_from"
    else:
        other, absent, moved = mover.to_tier, "went_away", "went_to"
    said = say(moved, tier=other) if other else say(absent)
    because = f", {say('because', cause=say.word('cause', mover.cause))}" if mover.cause else ""
    details = f"{said}{because} ({say.number(mover.revenue)})"
    return say("with", what=_one_line(mover.account_name), details=details)


def _risk(say: Texts, news: News, *, shown: int) -> Iterator[str]:
    risk: Risk = news.at_risk
    head = say.count(
        "at_risk",
        risk.accounts,
        tier=news.tier,
        value=say.number(risk.value_at_risk),
        currency=news.currency,
    )
    if risk.new_accounts is not None and risk.new_value_at_risk is not None:
        new = say.count(
            "new_at_risk",
            risk.new_accounts,
            value=say.number(risk.new_value_at_risk),
            currency=news.currency,
        )
        head = f"{head}, {new}"
    yield head
    if risk.reasons:
        yield ", ".join(
            f"{say.word('reason_counted', reason)} {say.number(accounts)}"
            for reason, accounts in risk.reasons.items()
        )
    yield from _listed(
        say, [_at_risk(say, account) for account in risk.shown[:shown]], risk.accounts
    )


def _at_risk(say: Texts, account: AtRisk) -> str:
    reasons = ", ".join(say.word("reason", reason) for reason in account.reasons)
    new = f" [{say('is_new')}]" if account.is_new else ""
    name = _one_line(account.account_name)
    details = f"{reasons} ({say.number(account.value_at_risk)})"
    return say("with", what=f"{name}{new}", details=details)


def _listed(say: Texts, lines: Sequence[str], of: int) -> Iterator[str]:
    yield from (f"- {line}" for line in lines)
    if of > len(lines):
        yield f"- {say.count('more', of - len(lines))}"


def _one_line(name: str) -> str:
    """A name comes from a CRM: it must neither break the line nor bring control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in name).split())


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(TEXTS_FILE.read_text(encoding="utf-8"))
    return texts
