"""Publication: whole or not at all, wherever a run fails or is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.release.live import LiveRelease, LiveReleaseError, read_live
from dagster_project.lib.release.publish import begin_release, publish
from tests.unit.release.release_making import RUN_AT, Drafted

Release = Callable[..., LiveRelease]
MakeDraft = Callable[[Path, int], Drafted]
STEPS = ("rename", "replace", "fsync")

KILLED_RUN = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from tests.unit.release.release_making import drafted
from dagster_project.lib.release.publish import publish

left = int(sys.argv[2])
def counted(real):
    def step(*arguments):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    return step

draft, manifest = drafted(Path(sys.argv[1]), 2)
os.rename, os.replace = counted(os.rename), counted(os.replace)
publish(draft, manifest, keep_releases=30)
if left == 1:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def revenue_of(database: Path) -> int:
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute("select revenue from account_tiers").fetchone()
    assert row is not None
    return int(row[0])


def snapshot(published: Path) -> dict[str, bytes]:
    """All files with their bytes."""
    found = sorted(path for path in published.rglob("*") if path.is_file())
    return {str(path.relative_to(published)): path.read_bytes() for path in found}


def test_a_release_is_readable_by_its_pointer(tmp_path: Path, release: Release) -> None:
    published = tmp_path / "published"
    assert read_live(published) is None
    made = release(published, 7)
    live = read_live(published)
    assert live == made
    assert live is not None
    assert live.release_id.startswith("20261124T152233Z-")
    assert json.loads((published / "current.json").read_text())["release_id"] == live.release_id
    assert revenue_of(live.database) == revenue_of(published / "marts.duckdb") == 7
    assert live.mart("account_tiers").is_file()
    text = (live.folder / "manifest.json").read_text()
    assert json.loads(text)["totals"] == {
        "revenue": "7.0000",
        "gross_margin": None,
        "excluded_value": "0.0000",
        "accounts": 1,
        "accounts_by_final_tier": {"A": 1},
    }
    assert not list(published.rglob(".*"))


def test_ids_rise_even_within_a_second(tmp_path: Path, release: Release) -> None:
    ids = [release(tmp_path, revenue).release_id for revenue in (1, 2, 1)]
    assert ids == sorted(set(ids))
    assert ids[0].endswith(ids[2][-8:]), "the same content has the same ending"
    live = read_live(tmp_path)
    assert live is not None and live.manifest.previous_release_id == ids[1]


def test_old_releases_go_the_live_one_stays(tmp_path: Path, release: Release) -> None:
    ids = [release(tmp_path, revenue, keep=2).release_id for revenue in (1, 2, 3)]
    assert sorted(path.name for path in (tmp_path / "releases").iterdir()) == ids[1:]
    release(tmp_path, 4, keep=1)
    assert len(list((tmp_path / "releases").iterdir())) == 1
    assert revenue_of(tmp_path / "marts.duckdb") == 4


def fail_at_step(patch: pytest.MonkeyPatch, step: int) -> None:
    """The given call of rename, replace or fsync fails, counted from here, and no other."""
    left = step

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def called(*arguments: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError("no space left on device")
            real(*arguments)

        return called

    for name in STEPS:
        patch.setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("before", [0, 1])
def test_a_failure_at_any_step_leaves_all_as_it_was(
    tmp_path: Path,
    release: Release,
    make_draft: MakeDraft,
    before: int,
) -> None:
    published = tmp_path / "published"
    for revenue in range(1, before + 1):
        release(published, revenue)
    (published / "releases").mkdir(parents=True, exist_ok=True)
    expected = snapshot(published)
    failed = 0
    while True:
        draft, manifest = make_draft(published, 2)
        with pytest.MonkeyPatch.context() as patch:
            fail_at_step(patch, failed + 1)
            try:
                publish(draft, manifest, keep_releases=30)
            except OSError:
                failed += 1
            else:
                break
        assert snapshot(published) == expected, f"step {failed}"
    assert failed > 10
    assert revenue_of(published / "marts.duckdb") == 2


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_killed_run_leaves_the_live_release(tmp_path: Path, release: Release, step: int) -> None:
    """Killed before the rename, before each of the two replacements, and after the last."""
    published = tmp_path / "published"
    first = release(published, 1)
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[3])]
    run = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, str(published), str(step), *folders],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    live = read_live(published)
    assert live is not None
    if step < 4:
        assert live == first
    assert revenue_of(live.database) == (1 if step < 4 else 2)
    if step < 3:
        assert revenue_of(published / "marts.duckdb") == 1
    with begin_release(published, run_at=RUN_AT) as draft:
        assert draft.previous == live
        assert revenue_of(published / "marts.duckdb") == revenue_of(live.database)
    assert len(list((published / "releases").iterdir())) == (1 if step < 4 else 2)
    assert not list(published.rglob(".*"))
    assert revenue_of(release(published, 3).database) == 3


def test_a_draft_that_another_run_holds_is_not_swept(tmp_path: Path) -> None:
    held = begin_release(tmp_path, run_at=RUN_AT)
    other = held.folder.rename(held.folder.with_name(".another.part"))
    with begin_release(tmp_path, run_at=RUN_AT):
        assert other.is_dir()
    held.discard()
    with begin_release(tmp_path, run_at=RUN_AT):
        assert not other.exists()


def test_an_abandoned_draft_goes(tmp_path: Path) -> None:
    with pytest.raises(ValueError), begin_release(tmp_path, run_at=RUN_AT) as draft:
        raise ValueError(draft.folder)
    assert list((tmp_path / "releases").iterdir()) == []


def test_without_a_pointer_kept_releases_stay_and_ids_go_on(
    tmp_path: Path, release: Release
) -> None:
    first = release(tmp_path, 1)
    (tmp_path / "current.json").unlink()
    second = release(tmp_path, 1)
    assert first.release_id < second.release_id
    assert first.folder.is_dir()
    assert read_live(tmp_path) == second


@pytest.mark.parametrize("text", ["", "{", "{}", '{"release_id": "../elsewhere"}'])
def test_a_damaged_pointer_is_an_error_with_a_remedy(
    tmp_path: Path, release: Release, text: str
) -> None:
    release(tmp_path, 1)
    (tmp_path / "current.json").write_text(text)
    with pytest.raises(LiveReleaseError, match=r"current\.json: not readable .*remove"):
        read_live(tmp_path)
    with pytest.raises(LiveReleaseError):
        begin_release(tmp_path, run_at=RUN_AT)
    assert revenue_of(tmp_path / "marts.duckdb") == 1


def test_a_pointer_to_nothing_is_an_error(tmp_path: Path, release: Release) -> None:
    made = release(tmp_path, 1)
    (made.folder / "manifest.json").unlink()
    with pytest.raises(LiveReleaseError, match=f"{made.release_id} is not readable"):
        read_live(tmp_path)
