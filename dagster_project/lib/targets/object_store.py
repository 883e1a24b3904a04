"""The marts of a release in an object store, through fsspec.

    <url>/releases/<release_id>/marts/<mart>.parquet
    <url>/releases/<release_id>/report.html, manifest.json
    <url>/current.json                                      written last, in one step

Audience files are not copied: they hold personal data, which stays where the user alone can read it.
A mart whose content did not change is copied within the store, from the release before it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dagster_project.lib.release.live import (
    CURRENT,
    MANIFEST,
    RELEASE_ID,
    RELEASES,
    Current,
    LiveRelease,
)
from dagster_project.lib.release.manifest import Manifest
from dagster_project.lib.targets.errors import TargetError
from dagster_project.target_settings import ObjectStoreTarget

REPORT = "report.html"
# Protocols of stores without folders, in which a path begins with a bucket or container.
BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"}
EXTRA_OF = {"s3": "the project's extra `object-store`", "s3a": "the project's extra `object-store`"}

logger = logging.getLogger(__name__)


def release_in_object_store(target: ObjectStoreTarget) -> str | None:
    """The release that the store's `current.json` names, None before the first.

    Raises:
        TargetError: the store does not answer, or its `current.json` is damaged.
    """
    with _opened(target) as (store, root):
        current = _current(store, root)
    return current.release_id if current else None


def publish_to_object_store(
    live: LiveRelease, target: ObjectStoreTarget, *, keep_releases: int, full: bool = False
) -> tuple[str, ...]:
    """Copies the release, then makes it the store's current one, then removes those beyond the kept.

    Args:
        live: the release.
        target: where to.
        keep_releases: releases to keep, this one included; at least 1.
        full: sends all marts, also those that the store has already.

    Returns:
        The marts that were sent, rather than copied within the store.

    Raises:
        TargetError: `current.json` names the release that it named before; the text has the remedy.
    """
    with _opened(target) as (store, root):
        current = _current(store, root)
        before = None if full else _manifest_of(store, root, current, but=live.release_id)
        folder = f"{root}/{RELEASES}/{live.release_id}"
        if current is None or current.release_id != live.release_id:
            # Of a run that was killed: without it the folder counts as half, until all is there.
            _remove(store, f"{folder}/{MANIFEST}")
        sent = [
            mart.name
            for mart in live.manifest.marts
            if not _copied_within(store, root, live, mart.name, before)
            and _send(store, live.mart(mart.name), f"{folder}/marts/{mart.name}.parquet")
        ]
        if (live.folder / REPORT).is_file():
            _send(store, live.folder / REPORT, f"{folder}/{REPORT}")
        _send(store, live.folder / MANIFEST, f"{folder}/{MANIFEST}")
        _write_current(store, root, live)
        _prune(store, root, live.release_id, keep_releases)
    logger.info("object store: %s has release %s", target.url, live.release_id)
    return tuple(sent)


@contextmanager
def _opened(target: ObjectStoreTarget) -> Iterator[tuple[Any, str]]:
    """The file system and the path of the root in it; its errors become TargetError."""
    scheme = target.url.partition(":")[0]
    try:
        from fsspec.core import url_to_fs

        # Another process writes here too; what a listing said earlier is worth nothing.
        options = {"use_listings_cache": False, **target.options}
        store, root = url_to_fs(target.url, **options)
    except (ImportError, ValueError) as error:
        remedy = EXTRA_OF.get(scheme, f"the package of fsspec for {scheme}://")
        raise TargetError(
            f"object store: {target.url} cannot be opened ({_line(error)}); install {remedy}, or correct "
            "targets.object_store.url"
        ) from None
    try:
        store.invalidate_cache()
        yield store, str(root).rstrip("/")
    except TargetError:
        raise
    except Exception as error:  # each library has its own errors, and none of them is a bug of ours
        raise TargetError(
            f"object store: {target.url}: {_line(error)}; check the place, its options and the credentials "
            "in the environment; the next refresh tries again"
        ) from None


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text[:200]}"


def _current(store: Any, root: str) -> Current | None:
    path = f"{root}/{CURRENT}"
    try:
        return Current.model_validate_json(store.cat_file(path))
    except FileNotFoundError:
        return None
    except ValidationError:
        raise TargetError(f"object store: {path} is damaged; remove it, and refresh") from None


def _manifest_of(store: Any, root: str, current: Current | None, *, but: str) -> Manifest | None:
    """Of the release that is the current one there, if it is another and can be read."""
    if current is None or current.release_id == but:
        return None
    try:
        path = f"{root}/{RELEASES}/{current.release_id}/{MANIFEST}"
        return Manifest.model_validate_json(store.cat_file(path))
    except (FileNotFoundError, ValidationError):
        return None


def _copied_within(
    store: Any, root: str, live: LiveRelease, mart: str, before: Manifest | None
) -> bool:
    """Whether the store had the mart's content and copied it by itself."""
    if before is None:
        return False
    then = {record.name: record.sha256 for record in before.marts}
    now = {record.name: record.sha256 for record in live.manifest.marts}
    if then.get(mart) != now[mart]:
        return False
    source, target = (
        f"{root}/{RELEASES}/{release}/marts/{mart}.parquet"
        for release in (before.release_id, live.release_id)
    )
    size = live.mart(mart).stat().st_size
    # Other versions write the same content in other bytes.
    try:
        if store.size(source) != size:
            return False
    except FileNotFoundError:
        return False
    _make_folder(store, target.rpartition("/")[0])
    store.cp_file(source, target)
    return bool(store.size(target) == size)


def _send(store: Any, source: Path, target: str) -> bool:
    _make_folder(store, target.rpartition("/")[0])
    store.put_file(str(source), target)
    if store.size(target) != source.stat().st_size:
        raise TargetError(
            f"object store: {target} did not arrive whole; refresh again, and look at the store's free room"
        )
    return True


def _make_folder(store: Any, path: str) -> None:
    """Where there are folders; elsewhere it would make a bucket of whatever name was mistyped."""
    protocols = {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)
    if not protocols & BUCKETS:
        store.makedirs(path, exist_ok=True)


def _write_current(store: Any, root: str, live: LiveRelease) -> None:
    said = {
        "release_id": live.release_id,
        "path": f"{RELEASES}/{live.release_id}",
        "as_of": live.manifest.as_of.isoformat(),
    }
    path, text = f"{root}/{CURRENT}", (json.dumps(said, indent=2) + "\n").encode()
    if "file" in store.protocol:
        # An object is there whole or not at all; a file has to be renamed to be.
        store.pipe_file(f"{path}.part", text)
        store.mv(f"{path}.part", path)
    else:
        store.pipe_file(path, text)


def _prune(store: Any, root: str, live: str, keep: int) -> None:
    """Removes what is beyond the kept, what never became whole, and what is ahead of the live one."""
    folders = [path.rstrip("/") for path in store.ls(f"{root}/{RELEASES}", detail=False)]
    found = sorted(path for path in folders if re.match(RELEASE_ID, path.rpartition("/")[2]))
    older = [
        path
        for path in found
        if path.rpartition("/")[2] < live and store.exists(f"{path}/{MANIFEST}")
    ]
    kept = {*older[max(0, len(older) - (keep - 1)) :], f"{root}/{RELEASES}/{live}"}
    by_name = {path.rpartition("/")[2] for path in kept}
    for path in found:
        if path.rpartition("/")[2] not in by_name:
            store.rm(path, recursive=True)


def _remove(store: Any, path: str) -> None:
    try:
        store.rm_file(path)
    except FileNotFoundError:
        return
