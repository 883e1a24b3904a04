"""Notices: what is told of a release is what moved, it is told once, and secrets stay where they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib import reference_notices
from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.notices.message import of_release
from dagster_project.lib.notices.news import News, read_news
from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, REPOSITORY, Refreshed, replace_line, rows_of
from tests.unit.notices.servers import Web, web_server

SECRET = "s3cr3t-token"
EVERYTHING = 1_000_000
ALL = ("moves", "at_risk", "failures")
FIRST_ENGLISH = """First release; moves are those of the last month:
2 accounts moved into A (450 EUR)
- Fir: from B, because of its potential (450)
- Juniper: from C, because of a decision by hand (0)
0 accounts left A (0 EUR)
Base at risk: 7 A accounts (9,350 EUR)
out of rhythm 5, falling revenue 1, not satisfied 2, too little time 6
- Alder: buys no longer in its rhythm (4,000)
- Birch: buys no longer in its rhythm, gets too little time (2,000)
- Cedar: buys no longer in its rhythm, not satisfied, gets too little time (1,500)
- Fir: buys no longer in its rhythm, gets too little time (450)
- Gorse: buys no longer in its rhythm, its revenue falls, not satisfied, gets too little time (400)
- and 2 more"""


def test_first_release_tells_the_moves_of_the_month(golden: Refreshed) -> None:
    news = read_news(golden.live)
    message = of_release(news.model_copy(update={"warnings": 0}), "en", ALL)
    assert message is not None
    assert message.title == "Account tiers as of 2026-01-01"
    assert message.body == f"{FIRST_ENGLISH}\n\nRelease {golden.live.release_id}"
    assert not news.is_empty


def test_next_release_tells_what_moved_since(second_golden: Refreshed) -> None:
    news = read_news(second_golden.live)
    assert news.since == "release"
    assert news.entered.accounts == 0
    assert [(m.account_name, m.from_tier, m.to_tier) for m in news.left.shown] == [
        ("Juniper", "A", None)
    ]
    assert (news.at_risk.accounts, news.at_risk.new_accounts) == (7, 0)
    message = of_release(news, "fr", ("moves",))
    assert message is not None
    assert "- Juniper : absent des extractions (0)" in message.body.splitlines()


def test_base_at_risk_is_not_compared_with_a_release_that_is_gone(
    second_golden: Refreshed, tmp_path: Path
) -> None:
    company = second_golden.copy(tmp_path)
    previous = company.live.manifest.previous_release_id
    assert previous is not None
    mart = company.live.folder.with_name(previous) / "marts" / "base_at_risk.parquet"
    mart.unlink()
    risk = read_news(company.live).at_risk
    assert (risk.accounts, risk.new_accounts, risk.new_value_at_risk) == (7, None, None)


@pytest.mark.parametrize("company", ["demo", "golden", "second_golden", "adventureworks"])
def test_news_are_those_of_the_reference(company: str, request: pytest.FixtureRequest) -> None:
    found: Refreshed | tuple[Refreshed, Truth] = request.getfixturevalue(company)
    refreshed = found[0] if isinstance(found, tuple) else found
    news = read_news(refreshed.live, shown=EVERYTHING)
    tiers = refreshed.rows("select * from account_tiers")
    entered, left = reference_notices.moved(
        _before(refreshed, news), reference_notices.tiers_now(tiers), news.tier
    )
    assert {m.account_key for m in news.entered.shown} == entered
    assert {m.account_key for m in news.left.shown} == left
    revenue = {row["account_key"]: row["revenue"] for row in tiers}
    for moves, keys in ((news.entered, entered), (news.left, left)):
        assert (moves.accounts, moves.revenue) == (len(keys), sum(revenue[key] for key in keys))
    at_risk = reference_notices.at_risk(refreshed.rows("select * from base_at_risk"))
    assert {a.account_key: a.value_at_risk for a in news.at_risk.shown} == at_risk
    assert news.at_risk.accounts == len(at_risk)
    assert news.at_risk.value_at_risk == sum(at_risk.values())


def _before(refreshed: Refreshed, news: News) -> dict[str, str]:
    """Tiers of the release before, or of the month before."""
    if news.previous_release_id is not None:
        folder = refreshed.live.folder.with_name(news.previous_release_id)
        return reference_notices.tiers_now(
            rows_of(folder / "marts.duckdb", "select * from account_tiers")
        )
    history = refreshed.rows("select account_key, as_of, final_tier from account_tier_history")
    last = max(row["as_of"] for row in history if row["as_of"] < date.fromisoformat(news.as_of))
    return reference_notices.tiers_of_month(history, last)


def kam(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `kam` with variables of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAM_")}
    return subprocess.run(
        [sys.executable, "-c", "from dagster_project.cli import app; app()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        env=kept | environment,
        cwd=REPOSITORY,
        check=False,
    )


def test_release_is_told_once_and_the_secret_is_nowhere(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    replace_line(company.landing / "crm/accounts.csv", 9, "10,Juniper", "99,Larch")
    with web_server() as web:
        addresses = f"json://{web.host}/hook/{SECRET} json://{web.host}/refuse/{SECRET}"
        given: Mapping[str, Any] = {"KAM_NOTICE_URLS": addresses, "KAM_NOTICE_LANGUAGE": "fr"}
        refresh = ("refresh", "--landing", company.landing, "--out", company.out)
        refresh = (*refresh, "--as-of", GOLDEN_AS_OF)
        runs = [kam(*refresh, **given)]
        assert runs[0].returncode == 0, runs[0].stderr
        _told(web, "1 compte a quitté la classe A (0 EUR)\n- Juniper : absent des extractions (0)")
        assert "1 compte a quitté la classe A (0 EUR)" in runs[0].stdout
        assert "not delivered to address 2 of KAM_NOTICE_URLS (JSON): HTTP 403" in runs[0].stderr
        runs.append(kam(*refresh, **given))
        assert "nothing to do" in runs[1].stdout
        assert len(web.posts) == 2, "a release that was told is not told again"

        runs.append(kam("notice", "--out", company.out, "--send", "--json", **given))
        assert runs[2].returncode == 1
        assert json.loads(runs[2].stdout)["delivered"] == 1
        assert len(web.posts) == 4

        absent = ("refresh", "--landing", tmp_path / "absent", "--out", company.out)
        runs.append(kam(*absent, **given))
        assert runs[3].returncode == 4
        assert len(web.posts) == 6
        path, said = web.posts[-1]
        assert (said["type"], "absent" in said["message"]) == ("failure", True)
    for run in runs:
        assert SECRET not in run.stdout + run.stderr
        assert "Traceback" not in run.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def _told(web: Web, text: str) -> None:
    assert sorted(path for path, _ in web.posts) == [f"/hook/{SECRET}", f"/refuse/{SECRET}"]
    for _, said in web.posts:
        assert text in said["message"]
        assert said["type"] == "info"


def test_notice_says_what_is_missing(golden: Refreshed) -> None:
    shown = kam("notice", "--out", golden.out)
    assert shown.returncode == 0
    assert "- Fir: from B, because of its potential (450)" in shown.stdout
    unset = kam("notice", "--out", golden.out, "--send")
    assert (unset.returncode, "KAM_NOTICE_URLS" in unset.stderr) == (2, True)
