"""What lies outside of `kam forget`: the user's own files, and a run that works at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.lib.dashboard.folder import FOLDER, STATE
from dagster_project.lib.extracts.discover import delivery_ids, find_deliveries
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.ledger import hash_file, read_entry
from dagster_project.lib.forgetting.landed import FORGOTTEN
from dagster_project.settings import Settings


def still_delivered(settings: Settings, ahead: Mapping[int, int]) -> list[tuple[str, int]]:
    """Files of the landing folder whose rows are left out, or changed, each time they are read.

    `ahead`: by delivery, rows that a call would take out of what has landed, and has not.
    """
    try:
        found = find_deliveries(
            settings.landing, profiles=settings.profiles, own_profiles=settings.own_profiles
        )
        hashes = {path: hash_file(path) for path in {file.path for file in found.files}}
    except (ExtractError, OSError):
        return []
    rows: dict[str, int] = {}
    ids = delivery_ids(found.files, hashes)
    for delivered, delivery_id in zip(found.files, ids, strict=True):
        entry = read_entry(settings.raw, delivery_id)
        if entry is None:
            continue
        count = entry.rows_left_out.get(FORGOTTEN, 0) + entry.rows_changed
        count += ahead.get(entry.delivery_id, 0)
        if count:
            name = delivered.relative_path
            rows[name] = rows.get(name, 0) + count
    return sorted(rows.items())


def not_reached(settings: Settings) -> list[str]:
    """Copies outside of the output folder, and what others keep in it; what makes them good."""
    found = []
    if settings.engine in ("spark_thrift", "spark_connect"):
        found.append(f"the tables on the cluster ({settings.engine}): kam refresh replaces them")
    if settings.targets.postgres is not None:
        found.append("the marts in PostgreSQL: kam refresh replaces them")
    if settings.targets.object_store is not None:
        url = settings.targets.object_store.url
        found.append(
            f"the releases in {url}: kam refresh sends a new one; remove the older ones there"
            " where an account was forgotten (they name no contact)"
        )
    if (state := settings.out / FOLDER / STATE).is_file():
        found.append(
            f"what was typed into Superset ({state}): look there, or remove the file: make dashboard makes another"
        )
    return found


def is_held(warehouse: Path) -> bool:
    """Whether a run of Dagster's web UI writes to the warehouse: it takes no lock of the output folder."""
    if not warehouse.is_file():
        return False
    try:
        duckdb.connect(str(warehouse), read_only=True).close()
    except duckdb.IOException:
        return True
    except duckdb.Error:
        return False
    return False
