"""Checks a release's whole `audiences` folder: manifest against files, each file by its destination."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path

from tests.checkers import (
    demandbase,
    generic,
    google_customer_match,
    hubspot,
    linkedin_companies,
    linkedin_contacts,
    meta_custom_audience,
    microsoft_ads,
    salesforce,
    sixsense,
)

CHECKERS: dict[str, Callable[[Path, str], list[str]]] = {
    "generic": generic.check,
    "linkedin_companies": linkedin_companies.check,
    "linkedin_contacts": linkedin_contacts.check,
    "google_customer_match": google_customer_match.check,
    "meta_custom_audience": meta_custom_audience.check,
    "microsoft_ads": microsoft_ads.check,
    "salesforce": salesforce.check,
    "hubspot": hubspot.check,
    "6sense": sixsense.check,
    "demandbase": demandbase.check,
}
NOT_MEMBERS = {"Format Version", "Customer List"}
PRIVATE = 0o600


def check(folder: Path) -> list[str]:
    """What is wrong with the folder, each problem with its file."""
    problems = []
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    listed = {entry["file"]: entry for entry in entries if entry["file"]}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.csv")}
    problems += [f"{name}: not in the manifest" for name in sorted(found - listed.keys())]
    problems += [f"{name}: listed, not there" for name in sorted(listed.keys() - found)]
    for name in sorted(found & listed.keys()):
        entry, path = listed[name], folder / name
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"] or len(content) != entry["size"]:
            problems.append(f"{name}: content is not what the manifest says")
        if (count := _members(path)) != entry["rows"]:
            problems.append(f"{name}: {count} rows, the manifest says {entry['rows']}")
        checker = CHECKERS[entry["destination"]]
        problems += [f"{name}: {problem}" for problem in checker(path, entry["kind"])]
    for path in folder.rglob("*"):
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) != PRIVATE:
            problems.append(f"{path.relative_to(folder)}: others may read it")
    return problems + _too_small(entries)


def _too_small(entries: list[dict[str, object]]) -> list[str]:
    """What is too small is listed and not written as if it were usable."""
    return [
        f"{entry['destination']}/{entry['audience']}: {entry['rows']} rows of {entry['minimum_rows']}, "
        f"and {entry['file'] or 'no file'} is {entry['status']}"
        for entry in entries
        if entry["kind"] == "full"
        and (int(str(entry["rows"])) < int(str(entry["minimum_rows"])))
        != (entry["status"] == "below_minimum" and entry["file"] is None)
    ]


def _members(path: Path) -> int:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return sum(not row or row[0] not in NOT_MEMBERS for row in rows)
