"""`kam` on what was refreshed: answers, exit codes, and errors of a line or two that name the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.pipeline_runs import GOLDEN, GOLDEN_AS_OF, Refreshed, kam, kam_process


@pytest.mark.parametrize("name", ["crm:accounts:7", "C7", "Gorse"])
def test_explain_tells_the_figures_the_line_and_the_history(golden: Refreshed, name: str) -> None:
    run = kam("explain", name, "--out", golden.out)
    assert run.returncode == 0, run.stderr
    for told in ("Gorse", "400.00", "Held at A", "I702", "2025-06-16", "2024-11", "500.00"):
        assert told in run.stdout, told


def test_explain_says_the_same_to_programs(golden: Refreshed) -> None:
    run = kam("explain", "C5", "--out", golden.out, "--json")
    account = json.loads(run.stdout)["account"]
    assert (account["account_key"], account["revenue"]) == ("erp:customers:C5", "500.0000")
    assert account["revenue_tier"] == "A"


def test_status_names_the_release_and_its_warnings(golden: Refreshed) -> None:
    told = json.loads(kam("status", "--out", golden.out, "--json").stdout)
    assert told["is_fresh"]
    assert told["runs"][0]["status"] == "published"
    checks = told["checks"]
    assert len(checks) == len(golden.live.manifest.checks)
    assert all(check["passed"] for check in checks if check["severity"] == "error")
    assert told["policy"]["cut_points"] == {"A": "0.8", "B": "0.95"}
    text = kam_process("status", "--out", golden.out).stdout
    assert (
        f"{golden.live.manifest.policy_sha256[:8]} (default): revenue by cumulative_share, "
        "A 0.8, B 0.95, the rest C" in text
    )
    assert golden.live.release_id in text
    assert "assert_every_invoiced_customer_is_known" in text


def test_check_reads_and_publishes_nothing(tmp_path: Path) -> None:
    run = kam_process("check", "--landing", GOLDEN / "landing", "--json")
    told = json.loads(run.stdout)
    assert (run.returncode, told["errors"]) == (0, [])
    assert sum(file["entry"]["rows_read"] for file in told["files"]) > 40
    assert kam("check", "--landing", tmp_path / "absent").returncode == 4


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("explain", "nobody", "--out", "{out}"), 2, "nobody"),
        (("explain", "7", "--out", "{none}"), 2, "kam refresh"),
        (("refresh", "--landing", "{none}", "--out", "{none}", "--as-of", "soon"), 2, "as-of"),
        (("refresh", "--landing", "{none}", "--out", "{none}", "--policy", "{none}"), 2, "policy"),
        (("refresh", "--landing", "{none}", "--out", "{none}"), 4, "landing folder"),
        (("refresh", "--profile", "erp"), 2, "SYSTEM=NAME"),
        (("refresh", "--landin", "{none}"), 2, "--landin"),
    ],
)
def test_wrong_use_is_said_in_a_line_or_two(
    golden: Refreshed, tmp_path: Path, arguments: tuple[str, ...], code: int, word: str
) -> None:
    places = {"out": golden.out, "none": tmp_path / "none"}
    run = kam(*(text.format(**places) for text in arguments))
    assert run.returncode == code, run.stderr
    assert word in run.stderr
    assert "Traceback" not in run.stderr


def test_two_runs_do_not_mix(golden: Refreshed, tmp_path: Path) -> None:
    from filelock import FileLock

    company = golden.copy(tmp_path)
    with FileLock(company.out / ".lock"):
        run = kam_process(
            *("refresh", "--landing", company.landing, "--out", company.out),
            *("--as-of", GOLDEN_AS_OF),
        )
    assert run.returncode == 1
    assert "another run works in" in run.stderr


def test_explain_tells_the_same_in_french(golden: Refreshed) -> None:
    run = kam("explain", "Gorse", "--out", golden.out, "--lang", "fr")
    assert run.returncode == 0, run.stderr
    for told in ("Gorse", "400,00", "Maintenu à A", "I702", "16/06/2025", "11/2024", "500,00"):
        assert told in run.stdout, told
    refused = kam_process("explain", "Gorse", "--out", golden.out, "--lang", "xx")
    assert (refused.returncode, "en, fr" in refused.stderr) == (2, True), refused.stderr


def test_every_published_sentence_has_its_french(golden: Refreshed) -> None:
    from dagster_project.lib.words import Words

    say = Words("fr")
    for row in golden.rows("select distinct tier_reason from account_tiers"):
        assert say.sentence(row["tier_reason"]) != row["tier_reason"], row
