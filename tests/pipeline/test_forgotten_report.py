"""The report of a kept release after an account was forgotten: that of its marts as they are now."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from dagster_project.lib.forgetting.found import Names
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import ForgottenRecord
from dagster_project.lib.forgetting.releases import free_release
from tests.pipeline.pipeline_runs import Refreshed

CEDAR = re.compile(r"(?<!\w)Cedar(?!\w)")
# As if it were a word, or another account had it too: no text may be searched for it.
NAMES = Names({}, {"Cedar": "3"})


@pytest.fixture
def release(golden: Refreshed, tmp_path: Path) -> Path:
    """A copy of the golden company's release."""
    folder = tmp_path / "published" / "releases" / golden.live.release_id
    shutil.copytree(golden.live.folder, folder)
    return folder


def matcher() -> Matcher:
    members = {"crm:accounts:3", "erp:customers:C3"}
    return Matcher(ForgottenRecord(key="k").extended({"account": members}))


def test_it_is_drawn_anew_with_the_id_in_place_of_the_name_and_nothing_else(release: Path) -> None:
    report = release / "report.html"
    before = report.read_text(encoding="utf-8")
    assert CEDAR.search(before)
    freed = free_release(release, matcher(), NAMES, is_dry=True)
    assert report.read_text(encoding="utf-8") == before
    assert free_release(release, matcher(), NAMES).texts == freed.texts
    assert freed.texts["report.html"] == 1
    assert freed.unsure == {}
    assert report.read_text(encoding="utf-8") == CEDAR.sub("3", before)


@pytest.mark.parametrize("is_readable", [True, False])
def test_one_that_cannot_be_drawn_stays_and_is_told(release: Path, *, is_readable: bool) -> None:
    report = release / "report.html"
    before = report.read_text(encoding="utf-8")
    manifest = json.loads((release / "manifest.json").read_bytes())
    if is_readable:
        manifest["versions"]["account-tiering"] = "of before"
    else:
        manifest["marts"] = [mart for mart in manifest["marts"] if mart["name"] != "tier_moves"]
    (release / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    freed = free_release(release, matcher(), NAMES)
    assert freed.marts
    assert freed.unsure == {"report.html": len(CEDAR.findall(before))}
    assert report.read_text(encoding="utf-8") == before
