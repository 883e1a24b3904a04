"""What stops a release and what does not; whatever happens, the live release is whole and says what it said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.refresh import Outcome
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    Refreshed,
    kam,
    kam_process,
    published,
    refreshed,
    replace_line,
    snapshot,
)

LINES = "erp/invoice_lines.csv"
USD = "reporting_currency: USD\n"


def kam_refresh(company: Refreshed, *, as_of: str, policy: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON answer of `kam refresh`."""
    file = company.out.parent / "policy.yml"
    file.write_text(policy, encoding="utf-8")
    run = kam(
        *("refresh", "--landing", company.landing, "--out", company.out),
        *("--as-of", as_of, "--policy", file, "--json"),
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, json.loads(run.stdout)


def test_one_amount_turned_into_text_is_one_rejected_row(
    adventureworks: Refreshed, tmp_path: Path
) -> None:
    company = adventureworks.copy(tmp_path)
    replace_line(company.landing / LINES, 2, "2024.9940", "twelve")
    code, answer = kam_refresh(company, as_of="2014-01-01", policy=USD)
    assert (code, answer["status"]) == (0, "published"), answer
    assert company.rows(
        "select source_file, line_number, column_name, raw_value, rule from rejected_rows"
    ) == [
        {
            "source_file": LINES,
            "line_number": 2,
            "column_name": "net_amount",
            "raw_value": "twelve",
            "rule": "not_an_amount",
        }
    ]
    counted = next(i for i in company.live.manifest.inputs if i.file == LINES)
    before = next(i for i in adventureworks.live.manifest.inputs if i.file == LINES)
    assert (counted.rows_read, counted.rows_rejected) == (before.rows_read, 1)
    assert counted.rows_loaded == before.rows_loaded - 1


def test_half_of_the_lines_missing_stops_at_the_gate(
    adventureworks: Refreshed, tmp_path: Path
) -> None:
    company = adventureworks.copy(tmp_path)
    lines = (company.landing / LINES).read_bytes().splitlines(keepends=True)
    (company.landing / LINES).write_bytes(b"".join(lines[: len(lines) // 2]))
    before = snapshot(company.out / "published")
    code, answer = kam_refresh(company, as_of="2014-01-01", policy=USD)
    assert (code, answer["status"]) == (3, "gate_failed"), answer
    failed = {check["check_name"] for check in answer["failed_checks"]}
    assert any("drift" in name or "row_count" in name for name in failed), failed
    assert all(check["observed"] and check["remedy"] for check in answer["failed_checks"])
    assert snapshot(company.out / "published") == before


def test_missing_required_column_is_named_and_nothing_is_published(
    golden: Refreshed, tmp_path: Path
) -> None:
    company = golden.copy(tmp_path)
    replace_line(company.landing / LINES, 1, "net_amount", "net_amont")
    before = snapshot(company.out / "published")
    run = kam(
        "refresh", "--landing", company.landing, "--out", company.out, "--as-of", GOLDEN_AS_OF
    )
    assert run.returncode == 4, run.stderr
    assert LINES in run.stderr and "net_amount" in run.stderr
    assert "Traceback" not in run.stderr
    assert snapshot(company.out / "published") == before


def unreadable(company: Refreshed) -> Outcome:
    """The outcome of a refresh that must find an extract unreadable and leave the release as it was."""
    before = snapshot(company.out / "published")
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "unreadable", (outcome.status, outcome.error)
    assert outcome.release is not None
    assert snapshot(company.out / "published") == before
    return outcome


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02binary" * 100, None])
def test_extract_that_is_no_table_is_named_and_nothing_is_published(
    golden: Refreshed, tmp_path: Path, content: bytes | None
) -> None:
    company = golden.copy(tmp_path)
    (company.landing / LINES).unlink()
    if content is None:
        (company.landing / LINES).mkdir()
    else:
        (company.landing / LINES).write_bytes(content)
    assert LINES in unreadable(company).error


def test_absent_extract_that_must_be_there_is_named(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    (company.landing / "erp/customers.csv").unlink()
    assert "customers" in unreadable(company).error


def test_too_many_rejected_rows_stop_at_the_gate(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    replace_line(company.landing / LINES, 2, "3000", "three thousand")
    before = snapshot(company.out / "published")
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "gate_failed", (outcome.status, outcome.error)
    told = next(
        c for c in outcome.failed_checks if c.check_name == "assert_rejected_share_is_tolerated"
    )
    for word in ("not_an_amount", "three thousand", "max_rejected_share"):
        assert word in told.observed + told.remedy, told
    assert snapshot(company.out / "published") == before


def test_absent_rates_are_what_is_missing(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    (company.landing / "erp/exchange_rates.csv").unlink()
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF)
    assert outcome.status == "gate_failed", (outcome.status, outcome.error)
    told = next(
        c for c in outcome.failed_checks if c.check_name == "assert_rejected_share_is_tolerated"
    )
    assert "exchange_rates to EUR are missing for GBP (2 lines from " in told.observed
    assert told.remedy.startswith("Where rates are missing, deliver the extract exchange_rates")
    # the failed run's tables have taken the place of the release's: a simulation names the run
    run = kam("simulate", "--out", company.out)
    assert run.returncode == 2, run.stderr
    for word in ("gate_failed", "assert_rejected_share_is_tolerated", golden.live.release_id):
        assert word in run.stderr, run.stderr


def test_nothing_new_is_nothing_to_do(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    before = snapshot(company.out / "published")
    run = kam_process(
        "refresh", "--landing", company.landing, "--out", company.out, "--as-of", GOLDEN_AS_OF
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    assert "nothing to do" in run.stdout
    assert refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF).status == "nothing_to_do"
    assert refreshed(company.landing, company.out).status == "nothing_to_do", "as_of by default"
    assert snapshot(company.out / "published") == before


def test_changed_policy_is_published_with_its_tiers(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    policy = "schemes: {revenue: {cut_points: {A: 0.40, B: 0.75}}}\n"
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=policy))
    assert company.live.manifest.policy_sha256 != golden.live.manifest.policy_sha256
    assert company.live.manifest.previous_release_id == golden.live.release_id
    tiers = {key: row["revenue_tier"] for key, row in company.accounts().items()}
    # 4000 of 10000 reach the A line exactly; Cedar ends on the B line at 7500
    assert [key for key, tier in tiers.items() if tier == "A"] == ["crm:accounts:1"]
    assert {key for key, tier in tiers.items() if tier == "B"} == {
        "crm:accounts:2",
        "crm:accounts:3",
    }
    again = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=policy)
    assert again.status == "nothing_to_do"


def test_changes_are_those_since_the_last_release(
    golden: Refreshed, second_golden: Refreshed
) -> None:
    changes = second_golden.rows("select account_key, change_type from account_changes")
    assert {row["account_key"]: row["change_type"] for row in changes} == {
        "crm:accounts:6": "changed",
        "crm:accounts:10": "removed",
        "crm:accounts:99": "added",
    }


def test_updated_at_moves_only_where_the_row_hash_does(
    golden: Refreshed,
    second_golden: Refreshed,
) -> None:
    old, new = golden.accounts(), second_golden.accounts()
    moved = {key for key in old if new[key]["updated_at"] != old[key]["updated_at"]}
    changed = {key for key in old if new[key]["row_hash"] != old[key]["row_hash"]}
    assert moved == changed == {"crm:accounts:6", "crm:accounts:10"}
    assert all(new[key]["updated_at"] > old[key]["updated_at"] for key in moved)


def test_removed_account_stays_as_inactive(golden: Refreshed, second_golden: Refreshed) -> None:
    row = second_golden.accounts()["crm:accounts:10"]
    assert (row["is_active"], row["revenue"], str(row["inactive_since"])) == (
        False,
        0,
        GOLDEN_AS_OF,
    )
    assert row["final_tier"]


def test_each_release_is_kept_whole(golden: Refreshed, second_golden: Refreshed) -> None:
    kept = second_golden.out / "published" / "releases" / golden.live.release_id
    assert snapshot(kept) == snapshot(golden.live.folder)
    assert second_golden.live.release_id > golden.live.release_id
    assert second_golden.live.manifest.previous_release_id == golden.live.release_id
