"""Whether the live release already says what a run would say."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from dagster_project.lib.extracts.discover import (
    Discovery,
    delivery_ids,
    find_deliveries,
    sha256_of,
)
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.extracts.ledger import hash_file, read_entry
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.manifest import versions
from dagster_project.lib.warehouse.as_of import day_after_last_invoiced_month
from dagster_project.policy import Policy
from dagster_project.settings import Settings

log = logging.getLogger(__name__)


def is_up_to_date(live: LiveRelease, settings: Settings, policy: Policy) -> bool:
    """Same files, policy, `as_of` and versions, and the same people forgotten: costs the files' hashes."""
    try:
        found = find_deliveries(
            settings.landing, profiles=settings.profiles, own_profiles=settings.own_profiles
        )
        if found.left or found.errors:
            return False
        if live.manifest.forgotten != read_record(settings.raw).fingerprint:
            return False
        paths = sorted({file.path for file in found.files})
        with ThreadPoolExecutor(settings.threads) as pool:
            hashes = dict(zip(paths, pool.map(hash_file, paths), strict=True))
    except (ExtractError, OSError):
        return False
    as_of = settings.as_of or _default_as_of(found, hashes, settings)
    return as_of is not None and live.manifest.is_made_of(
        [
            (file.relative_path, sha256_of(file, hashes), file.system, file.entity, file.profile)
            for file in found.files
        ],
        as_of=as_of,
        policy_sha256=policy.sha256(),
        versions=versions(),
    )


def _default_as_of(found: Discovery, hashes: Mapping[Path, str], settings: Settings) -> date | None:
    """From the landed invoice lines; None where one of the files was never landed."""
    landed = []
    ids = delivery_ids(found.files, hashes)
    for delivered, delivery_id, place in zip(found.files, ids, places_of(found.files), strict=True):
        if delivered.entity != "invoice_lines" or place.is_replaced:
            continue
        entry = read_entry(settings.raw, delivery_id)
        if entry is None:
            return None
        landed.append(entry)
    return day_after_last_invoiced_month(landed)
