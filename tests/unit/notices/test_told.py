"""A release and a failed run are told once, whoever asks and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dagster_project.lib.notices.told import (
    FILE,
    KEPT_RUNS,
    claim_failure,
    claim_release,
    read_told,
)


def test_release_is_claimed_once(tmp_path: Path) -> None:
    before = claim_release(tmp_path, "r1")
    assert before is not None and before.release_id is None
    assert claim_release(tmp_path, "r1") is None
    after = claim_release(tmp_path, "r2")
    assert after is not None and after.release_id == "r1"


def test_one_of_many_at_once_gets_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim_failure(tmp_path, "run"), range(8)))
    assert claims.count(True) == 1


def test_failure_is_remembered_until_the_next_release(tmp_path: Path) -> None:
    claim_release(tmp_path, "r1")
    assert claim_failure(tmp_path, "run1")
    assert not claim_failure(tmp_path, "run1")
    told = claim_release(tmp_path, "r2")
    assert told is not None and told.last_was_failure
    told = claim_release(tmp_path, "r3")
    assert told is not None and not told.last_was_failure
    assert not claim_failure(tmp_path, "run1"), "a release does not make an old failure new"


def test_damaged_file_and_many_runs(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    assert claim_release(tmp_path, "r1") is not None
    for number in range(KEPT_RUNS + 5):
        claim_failure(tmp_path, str(number))
    assert len(read_told(tmp_path).failed_runs) == KEPT_RUNS
