"""What `kam audiences` says of a release, from its manifest."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.audiences.destinations import Destination
from dagster_project.lib.audiences.records import AudienceManifest
from dagster_project.lib.audiences.summary import AudienceSummary, summarised
from tests.unit.audiences.lists import CHANGES, KEYED, MATCHED, run

SIX = {f"k{number}": (f"Company {number}", None) for number in range(6)}


def told(
    manifest: AudienceManifest, *destinations: Destination
) -> dict[tuple[str, str], AudienceSummary]:
    found = summarised(manifest, destinations)
    return {(summary.destination, summary.audience): summary for summary in found}


def test_parts_are_added_up_and_lists_of_others_left_away(tmp_path: Path) -> None:
    split = MATCHED.model_copy(update={"maximum_rows": 4})
    manifest = run(tmp_path, SIX, split, KEYED, CHANGES, suppressed=2)
    found = told(manifest, split, CHANGES)
    assert {destination for destination, _ in found} == {"matched", "changes"}
    whole = found["matched", "A"]
    assert (whole.status, whole.rows, whole.added, whole.removed) == ("written", 6, 6, 0)
    assert whole.left_out == {"suppressed": 2}
    assert whole.files[:2] == ("matched/A_1.csv", "matched/A_2.csv")
    upsert = found["changes", "A"]
    assert (upsert.status, upsert.rows, upsert.added, upsert.removed) == ("upsert", 6, None, None)


def test_a_list_that_is_too_small_says_which_would_do_and_whom_to_remove(tmp_path: Path) -> None:
    run(tmp_path / "1", SIX, MATCHED)
    few = dict(list(SIX.items())[:2])
    manifest = run(tmp_path / "2", few, MATCHED, previous=tmp_path / "1")
    small = told(manifest, MATCHED)["matched", "A"]
    assert (small.status, small.rows, small.minimum_rows) == ("below_minimum", 2, 3)
    assert (small.wider_audience, small.added, small.removed) == ("A+B", None, 4)
    assert small.files == ("matched/A_remove.csv",)
    tiny = told(manifest, MATCHED)["matched", "tiny"]
    assert (tiny.files, tiny.removed) == ((), None)
