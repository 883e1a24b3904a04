"""Releases in an object store: whole, equal byte by byte, without audience files, pruned, never half a release."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.publish import publish
from dagster_project.lib.targets import object_store
from dagster_project.lib.targets.errors import TargetError
from dagster_project.lib.targets.object_store import (
    publish_to_object_store,
    release_in_object_store,
)
from dagster_project.lib.targets.state import target_states
from dagster_project.target_settings import ObjectStoreTarget, TargetSettings
from tests.unit.release.release_making import drafted

Publish = Callable[[int], LiveRelease]


@pytest.fixture(params=["file", "memory"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStoreTarget]:
    """A place of each kind that needs no server."""
    place = f"{tmp_path}/store" if request.param == "file" else "/store/tiers"
    yield ObjectStoreTarget(url=f"{request.param}://{place}")
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def release(tmp_path: Path) -> Publish:
    """Publishes a release of one account with this revenue, with a report and an audience file."""

    def make(revenue: int) -> LiveRelease:
        draft, manifest = drafted(tmp_path / "published", revenue)
        (draft.folder / "report.html").write_text(f"<title>{revenue}</title>")
        draft.audiences.mkdir()
        (draft.audiences / "contacts.csv").write_text("email\nsomebody@example.com\n")
        return publish(draft, manifest, keep_releases=30)

    return make


def files(target: ObjectStoreTarget) -> dict[str, bytes]:
    """Every file of the place, by its path in it."""
    store, root = fsspec.url_to_fs(target.url)
    return {path.removeprefix(f"{root}/"): store.cat_file(path) for path in store.find(root)}


def test_release_arrives_whole_and_without_audience_files(
    target: ObjectStoreTarget, release: Publish
) -> None:
    assert release_in_object_store(target) is None
    live = release(1)
    assert publish_to_object_store(live, target, keep_releases=2) == ("account_tiers",)
    folder = f"releases/{live.release_id}"
    said = files(target)
    assert said == {
        "current.json": (live.folder.parent.parent / "current.json").read_bytes(),
        f"{folder}/marts/account_tiers.parquet": live.mart("account_tiers").read_bytes(),
        f"{folder}/report.html": b"<title>1</title>",
        f"{folder}/manifest.json": (live.folder / "manifest.json").read_bytes(),
    }
    assert not any(b"example.com" in content for content in said.values())
    assert release_in_object_store(target) == live.release_id


def test_old_releases_go_beyond_the_kept(target: ObjectStoreTarget, release: Publish) -> None:
    made = [release(revenue) for revenue in (1, 2, 3, 4)]
    for live in made:
        publish_to_object_store(live, target, keep_releases=2)
    kept = {path.split("/")[1] for path in files(target) if path.startswith("releases/")}
    assert kept == {live.release_id for live in made[2:]}


def test_mart_that_did_not_change_is_not_sent_again(
    target: ObjectStoreTarget, release: Publish
) -> None:
    publish_to_object_store(release(1), target, keep_releases=5)
    same = release(1)
    assert publish_to_object_store(same, target, keep_releases=5) == ()
    path = f"releases/{same.release_id}/marts/account_tiers.parquet"
    assert files(target)[path] == same.mart("account_tiers").read_bytes()
    assert publish_to_object_store(release(2), target, keep_releases=5) == ("account_tiers",)
    assert publish_to_object_store(release(2), target, keep_releases=5, full=True) == (
        "account_tiers",
    )


@pytest.mark.parametrize("breaks_at", [1, 2, 3])
def test_what_breaks_off_leaves_the_old_release_and_is_swept(
    target: ObjectStoreTarget,
    release: Publish,
    monkeypatch: pytest.MonkeyPatch,
    breaks_at: int,
) -> None:
    first = release(1)
    publish_to_object_store(first, target, keep_releases=5)
    before, real, sent = files(target), object_store._send, []

    def break_off(store: object, source: Path, path: str) -> bool:
        sent.append(path)
        if len(sent) == breaks_at:
            raise ConnectionResetError("the line is dead")
        return real(store, source, path)

    second = release(2)
    with monkeypatch.context() as patch:
        patch.setattr(object_store, "_send", break_off)
        with pytest.raises(TargetError, match="ConnectionResetError: the line is dead; check"):
            publish_to_object_store(second, target, keep_releases=5)
    after = files(target)
    assert {path: after[path] for path in before} == before
    assert release_in_object_store(target) == first.release_id
    third = release(3)
    publish_to_object_store(third, target, keep_releases=5)
    kept = {path.split("/")[1] for path in files(target) if path.startswith("releases/")}
    assert kept == {first.release_id, third.release_id}


def test_file_that_arrives_short_is_no_release(
    target: ObjectStoreTarget, release: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = fsspec.url_to_fs(target.url)
    monkeypatch.setattr(
        type(store), "put_file", lambda self, local, remote, **_: self.pipe_file(remote, b"PAR1")
    )
    with pytest.raises(TargetError, match="did not arrive whole"):
        publish_to_object_store(release(1), target, keep_releases=2)
    assert release_in_object_store(target) is None


def test_state_says_who_is_behind(target: ObjectStoreTarget, release: Publish) -> None:
    first = release(1)
    publish_to_object_store(first, target, keep_releases=2)
    targets = TargetSettings(object_store=target)
    (state,) = target_states(targets, live=first.release_id, environment={})
    assert (state.release_id, state.is_behind) == (first.release_id, False)
    assert state.line() == f"target object_store: has release {first.release_id}, the live one"
    (state,) = target_states(targets, live=release(2).release_id, environment={})
    assert state.is_behind
    assert "behind, it has release" in state.line()


def test_damaged_pointer_is_told_with_its_remedy(target: ObjectStoreTarget) -> None:
    store, root = fsspec.url_to_fs(target.url)
    store.makedirs(root, exist_ok=True)
    store.pipe_file(f"{root}/current.json", b"{")
    with pytest.raises(TargetError, match=r"current.json is damaged; remove it, and refresh"):
        release_in_object_store(target)


@pytest.mark.parametrize("url", ["nowhere://bucket/prefix", "gs://bucket/prefix"])
def test_store_without_its_package_says_what_to_install(url: str) -> None:
    with pytest.raises(TargetError, match=r"cannot be opened .*install the package of fsspec for"):
        release_in_object_store(ObjectStoreTarget(url=url))


def test_pointer_is_replaced_in_one_step(tmp_path: Path, release: Publish) -> None:
    """A reader who holds the old `current.json` open reads all of it."""
    target = ObjectStoreTarget(url=f"file://{tmp_path}/store")
    first = release(1)
    publish_to_object_store(first, target, keep_releases=2)
    with (tmp_path / "store" / "current.json").open("rb") as held:
        publish_to_object_store(release(2), target, keep_releases=2)
        assert json.loads(held.read())["release_id"] == first.release_id
