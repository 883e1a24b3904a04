"""When a notice goes out: once, where there is news, and never so that a run fails by it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagster_project import notices
from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.landing import LandingReport
from dagster_project.refresh import Outcome
from dagster_project.settings import Settings, load_settings
from tests.unit.notices.servers import Web, web_server
from tests.unit.notices.test_message import NEWS, NOBODY

QUIET = NEWS.model_copy(
    update={
        "entered": NOBODY,
        "left": NOBODY,
        "at_risk": NEWS.at_risk.model_copy(update={"new_accounts": 0}),
    }
)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with web_server() as server:
        monkeypatch.setenv("KAM_NOTICE_URLS", f"json://{server.host}/hook")
        yield server


def settings_of(out: Path, **given: Any) -> Settings:
    return load_settings(None, {"out": out, "notices": given}, environment={})


def release(name: str) -> Any:
    return SimpleNamespace(release_id=name)


def test_news_go_out_once_and_quiet_releases_only_after_a_failure(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    monkeypatch.setattr(notices, "read_news", lambda _: NEWS)
    assert notices.tell_release(settings, release("r1")).status == "sent"
    assert notices.tell_release(settings, release("r1")).status == "told already"
    monkeypatch.setattr(notices, "read_news", lambda _: QUIET)
    assert notices.tell_release(settings, release("r2")).status == "no news"
    assert len(web.posts) == 1
    notices.tell_failure(settings, notices.Failure("failed", "run-1", lines=["no"]))
    assert notices.tell_release(settings, release("r3")).status == "sent"
    assert notices.tell_release(settings, release("r4")).status == "no news"
    assert [said["type"] for _, said in web.posts] == ["info", "failure", "info"]


def test_only_what_is_asked_for_goes_out(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "read_news", lambda _: NEWS)
    failure = notices.Failure("failed", "run-1", lines=["no"])
    moves = settings_of(tmp_path / "a", only=["moves"])
    failures = settings_of(tmp_path / "b", only=["failures"])
    for settings in (moves, failures):
        settings.out.mkdir()
    assert notices.tell_failure(moves, failure).status == "not asked for"
    assert notices.tell_release(failures, release("r1")).status == "not asked for"
    assert web.posts == []
    assert notices.tell_release(moves, release("r1")).status == "sent"
    assert notices.tell_failure(failures, failure).status == "sent"


def test_error_is_a_warning_that_quotes_nothing(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise ValueError("ann@example.com")

    monkeypatch.setattr(notices, "read_news", broken)
    with caplog.at_level(logging.WARNING):
        sent = notices.tell_release(settings_of(tmp_path), release("r1"))
    assert sent.warnings == ("notice not made (ValueError); `kam notice --debug` shows why",)
    assert "ValueError" in caplog.text and "ann@" not in caplog.text


def test_absent_addresses_are_a_warning_only_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAM_NOTICE_URLS", raising=False)
    failure = notices.Failure("failed", "run-1", lines=["no"])
    assert notices.tell_failure(settings_of(tmp_path), failure).status == "not set"
    assert notices.tell_failure(settings_of(tmp_path), failure).warnings == ()
    [warning] = notices.tell_failure(settings_of(tmp_path, only=["failures"]), failure).warnings
    assert "KAM_NOTICE_URLS is empty" in warning


@pytest.mark.parametrize(
    ("landing_error", "check_fails", "steps", "title"),
    [
        ("crm/a.csv: no header", False, {}, "nothing published, extracts unreadable"),
        ("", True, {}, "nothing published, checks failed"),
        ("", False, {}, "nothing published, the run failed"),
        ("", False, {"exports__release": 1.0}, "published, but a step after it failed"),
    ],
)
def test_outcome_is_told_by_its_kind(
    web: Web,
    tmp_path: Path,
    landing_error: str,
    check_fails: bool,
    steps: dict[str, float],
    title: str,
) -> None:
    settings = settings_of(tmp_path)
    folder = settings.runs / "run-1"
    run_folder.begin(folder)
    run_folder.end(folder)
    errors = [landing_error] if landing_error else []
    report = LandingReport(files=[], left=[], ignored=[], errors=errors)
    run_folder.write_landing(folder, report)
    check = CheckResult("c", "marts", "error", not check_fails, "found", "mend it")
    run_folder.write_checks(folder, run_folder.CHECKS[0], [check])
    outcome = Outcome("failed", None, run_folder=folder, error="first\nsecond", steps=steps)
    for _ in range(2):
        notices.tell_outcome(settings, outcome)
    [(_, said)] = web.posts
    assert said["title"] == f"Account tiers: {title}"
    assert ("- first\n- second" in said["message"]) == (not landing_error and not check_fails)
    done = Outcome("published", None, run_folder=folder, steps=steps)
    assert notices.tell_outcome(settings, done).status == "no failure"


def test_refresh_that_cannot_begin_is_told_and_still_fails(web: Web, tmp_path: Path) -> None:
    with (
        pytest.raises(ExtractError, match="is not there"),
        notices.told_if_it_cannot_begin(settings_of(tmp_path)),
    ):
        raise ExtractError("crm/accounts.csv", "is not there", remedy="deliver it")
    [(_, said)] = web.posts
    assert "- crm/accounts.csv: is not there" in said["message"]
