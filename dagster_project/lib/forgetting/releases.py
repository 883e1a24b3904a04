"""Takes what was forgotten out of a kept release: written anew beside it, then swapped whole."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.audience_files import Freed, free_audiences
from dagster_project.lib.forgetting.found import Names
from dagster_project.lib.forgetting.marts import (
    content_hash,
    described_marts,
    mart_edit,
    write_mart,
)
from dagster_project.lib.forgetting.matcher import NOBODY, Matcher
from dagster_project.lib.forgetting.swap import exchange
from dagster_project.lib.forgetting.texts import freed_record, freed_text
from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.durable import sync_tree
from dagster_project.lib.release.live import (
    DATABASE,
    MANIFEST,
    RELEASE_ID,
    RELEASES,
    REPORT,
    LiveRelease,
)
from dagster_project.lib.release.manifest import Manifest, versions

TIERS = "account_tiers"
"""The mart from which the report has the accounts' names."""
DRAWN_BY = "account-tiering"
MARTS, AUDIENCES = "marts", "audiences"
Input = tuple[str, str, str]
"""Hash, system and entity of a delivered file."""
REPORT_ENDINGS = (".html", ".json", ".txt", ".csv")

log = logging.getLogger(__name__)


@dataclass
class FreedRelease:
    """What was taken out of one release: rows by mart, and what of the audiences.

    `unsure` counts by text what may be a name of theirs, and was left.
    """

    release_id: str
    marts: dict[str, tables.Counts] = field(default_factory=dict)
    audiences: Freed = field(default_factory=Freed)
    texts: dict[str, int] = field(default_factory=dict)
    unsure: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.marts or self.audiences.rows or self.texts)


def kept_releases(published: Path) -> list[Path]:
    """Folders of whole releases, the newest first: what is live is freed first."""
    folder = published / RELEASES
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if re.match(RELEASE_ID, path.name)), reverse=True)


def free_release(
    folder: Path,
    matcher: Matcher,
    names: Names,
    *,
    inputs: Mapping[Input, int] | None = None,
    is_dry: bool = False,
) -> FreedRelease:
    """Frees a release; it is whole at every moment, as it was or as it is to be.

    Args:
        folder: of the release.
        matcher: knows what is forgotten.
        names: of forgotten accounts.
        inputs: rows that the release's files have without them, by hash, system and entity.
        is_dry: only counts.
    """
    freed = FreedRelease(folder.name)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(mode=0o755)
    lock = os.open(part, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        _free_marts(folder, part, manifest, matcher=matcher, names=names.sure, freed=freed)
        others = [path / AUDIENCES for path in kept_releases(folder.parents[1])]
        freed.audiences = free_audiences(
            folder / AUDIENCES, part / AUDIENCES, matcher, others=others
        )
        manifest, count = freed_record(manifest, matcher, names.sure)
        count += _correct_inputs(manifest, inputs or {})
        freed.texts |= {MANIFEST: count} if count else {}
        _free_texts(folder, part, manifest, matcher=matcher, names=names, freed=freed)
        if freed and not is_dry:
            manifest["rewritten_on"] = [
                *manifest.get("rewritten_on", []),
                date.today().isoformat(),
            ]
            text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
            (part / MANIFEST).write_text(text, "utf-8")
            _link_rest(folder, part)
            sync_tree(part)
            exchange(part, folder)
    finally:
        os.close(lock)
        shutil.rmtree(part, ignore_errors=True)
    return freed


def _free_marts(
    folder: Path,
    part: Path,
    manifest: dict[str, Any],
    *,
    matcher: Matcher,
    names: Mapping[str, str],
    freed: FreedRelease,
) -> None:
    records = {record["name"]: record for record in manifest["marts"]}
    keys: dict[str, Sequence[str]] = {name: record["key"] for name, record in records.items()}
    (part / MARTS).mkdir()
    with duckdb.connect(config=tables.CONFIG) as connection:
        for path in sorted((folder / MARTS).glob("*.parquet")):
            relation = tables.parquet(path)
            edit = mart_edit(connection, relation, matcher, names)
            counts = edit.counts(connection, relation)
            if not counts:
                continue
            freed.marts[path.stem] = counts
            target, key = part / MARTS / path.name, keys.get(path.stem, ())
            write_mart(connection, path, target, edit=edit, key=key)
            if record := records.get(path.stem):
                record["rows"], record["sha256"] = content_hash(
                    connection, target, key=key, like=(path, record["sha256"])
                )
    if freed.marts:
        _link_rest(folder / MARTS, part / MARTS)
    if freed.marts and (folder / DATABASE).is_file():
        # into a new file: in the old one the free blocks would keep what they held
        write_database(
            marts=described_marts(folder / DATABASE, keys),
            folder=part / MARTS,
            target=part / DATABASE,
        )


def _correct_inputs(manifest: dict[str, Any], rows: Mapping[Input, int]) -> int:
    """Takes the rows that went off the counts of the files; returns how many files that concerns."""
    corrected = 0
    for said in manifest["inputs"]:
        own = rows.get((said["sha256"], said["system"], said["entity"]), said["rows_read"])
        gone = said["rows_read"] - own
        if gone > 0:
            # which of them an other row had superseded is not known any more
            loaded = max(0, said["rows_loaded"] - gone)
            said["rows_superseded"] -= gone - (said["rows_loaded"] - loaded)
            said["rows_loaded"], said["rows_read"] = loaded, own
            corrected += 1
    return corrected


def _free_texts(
    folder: Path,
    part: Path,
    manifest: Mapping[str, Any],
    *,
    matcher: Matcher,
    names: Names,
    freed: FreedRelease,
) -> None:
    """The report, and whatever other texts lie beside the marts."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != MANIFEST and path.suffix in REPORT_ENDINGS:
            old = path.read_text("utf-8")
            text, count = freed_text(old, matcher, names.sure)
            _, unsure = freed_text(text, NOBODY, names.unsure)
            if path.name == REPORT and TIERS in freed.marts and (count or unsure):
                # in a report whose marts do not name them no word does
                drawn = _drawn_anew(part, manifest)
                if drawn is not None:
                    text, unsure = drawn, 0
            if text != old:
                (part / path.name).write_text(text, "utf-8")
                freed.texts[path.name] = max(count, 1)
            if unsure:
                freed.unsure[path.name] = unsure


def _drawn_anew(part: Path, manifest: Mapping[str, Any]) -> str | None:
    """The report of the marts as they are to be; None where another version of the project drew it."""
    # Babel and Jinja are only needed here
    from dagster_project.lib.report.write import write_report

    if manifest["versions"].get(DRAWN_BY) != versions().get(DRAWN_BY):
        return None
    try:
        release = LiveRelease(part, Manifest.model_validate(manifest))
        return write_report(release).read_text("utf-8")
    except Exception as error:
        (part / REPORT).unlink(missing_ok=True)
        log.warning("%s could not be drawn anew (%s: %s)", REPORT, type(error).__name__, error)
        return None


def _link_rest(folder: Path, part: Path) -> None:
    """What did not change is the same file under both names."""
    for path in sorted(folder.rglob("*")):
        target = part / path.relative_to(folder)
        if path.is_dir():
            target.mkdir(exist_ok=True)
            shutil.copystat(path, target)
        elif not target.exists():
            try:
                os.link(path, target)
            except OSError:
                shutil.copy2(path, target)
