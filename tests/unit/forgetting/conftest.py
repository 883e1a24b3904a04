"""A raw zone of its own, and a release made by hand that names people and accounts in every form."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.audiences.destinations import load_destinations
from dagster_project.lib.forgetting.forms import digests
from dagster_project.lib.forgetting.found import Names
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import ForgottenRecord
from dagster_project.lib.release.content import content_sha256
from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.marts import Mart

RELEASE = "20260101T000000Z-0123abcd"
ANNA, BOB = "anna@example.com", "bob@example.com"
NAMES = Names({"Alder & Söhne GmbH": "A1"}, {})
CHECK = {"name": "c", "asset": "a", "severity": "warn", "passed": True}
ROWS = {
    "account_tiers": (
        ("account_key",),
        "select * from (values"
        " ('crm:accounts:A1', 'Alder & Söhne GmbH', 'FR', 'Timber', 'U1', 'B: why', 10.5::decimal(18,4), 'h1'),"
        " ('crm:accounts:A2', 'Birch', 'DE', 'Timber', 'U1', 'Set to A by anna@example.com', 3::decimal(18,4), 'h2'))"
        " as t(account_key, account_name, country_code, industry, owner_id, tier_reason, revenue, row_hash)",
    ),
    "abm_contacts": (
        ("contact_key",),
        "select * from (values ('crm:P1', 'crm:accounts:A2', true), ('crm:P2', 'crm:accounts:A2', false))"
        " as t(contact_key, account_key, is_eligible_ads)",
    ),
    "identity_review": (
        ("review_id",),
        "select 'r1' as review_id, 'erp' as erp_system, 'C1' as erp_customer_id, 'Alder (Paris)' as customer_name,"
        " 'crm' as crm_system, 'A2' as crm_account_id, 'Birch' as crm_account_name",
    ),
    "account_aliases": (
        ("alias_key",),
        "select 'crm:accounts:A1' as alias_key, 'crm:accounts:A1' as account_key where false",
    ),
    "account_members": (
        ("source_system", "source_entity", "source_id"),
        "select * from (values ('crm:accounts:A1', 'crm', 'accounts', 'A1'),"
        " ('crm:accounts:A1', 'erp', 'customers', 'C1'), ('crm:accounts:A2', 'crm', 'accounts', 'A2'))"
        " as t(account_key, source_system, source_entity, source_id)",
    ),
    "tier_playbook": (("play_id",), "select 'p' as play_id, 'Call them' as title_en"),
}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def matcher() -> Matcher:
    record = ForgottenRecord(key="k")
    return Matcher(
        record.extended(
            {
                "email": {ANNA},
                "digest": digests(ANNA),
                "contact": {"crm:P1"},
                "account": {"crm:accounts:A1", "erp:customers:C1"},
            }
        )
    )


def write_audience(
    folder: Path, destination: str, name: str, rows: list[list[str]], *, kind: str = "full"
) -> dict[str, Any]:
    path = folder / destination / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([load_destinations()[destination].header, *rows])
    return {
        "file": f"{destination}/{path.name}",
        "destination": destination,
        "audience": name.removesuffix("_remove"),
        "kind": kind,
        "status": "written",
        "rows": len(rows),
        "left_out": {},
        "minimum_rows": 0,
        "minimum_met": True,
        "wider_audience": None,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": path.stat().st_size,
    }


def write_sent(folder: Path, destination: str, query: str) -> None:
    (folder / "sent").mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"copy ({query}) to '{folder}/sent/{destination}.parquet' (format parquet)")


def write_audiences(folder: Path) -> None:
    google = [
        [sha(ANNA), "", "", "", "FR", ""],
        [sha(BOB), "", "", "", "FR", ""],
        # no address: known by the key of what was sent alone
        ["", "", sha("anna"), sha("smith"), "FR", "75001"],
    ]
    linkedin = [["Anna@Example.com", "Anna", "Smith", "", "Birch", "FR", ""], [BOB, *[""] * 6]]
    files = [
        write_audience(folder, "google_customer_match", "A", google),
        write_audience(folder, "linkedin_contacts", "A", linkedin),
        write_audience(folder, "linkedin_contacts", "A_remove", linkedin[1:], kind="remove"),
        write_audience(
            folder, "linkedin_companies", "A", [["Alder", *[""] * 9], ["Birch", *[""] * 9]]
        ),
    ]
    write_sent(
        folder,
        "google_customer_match",
        "select * from (values"
        f" ('A', 'crm:P1', '{sha(ANNA)}', null, null, null, 'FR', null),"
        f" ('A', 'crm:P2', '{sha(BOB)}', null, null, null, 'FR', null),"
        f" ('A', 'crm:P1', null, null, '{sha('anna')}', '{sha('smith')}', 'FR', '75001'))"
        " as t(audience, contact_key, email, phone, first_name, last_name, country, zip)",
    )
    columns = ", ".join(
        f"null::varchar as {name}"
        for name in load_destinations()["linkedin_companies"].header
        if name != "companyname"
    )
    write_sent(
        folder,
        "linkedin_companies",
        f"select 'A' as audience, key as account_key, name as companyname, {columns} from"
        " (values ('crm:accounts:A1', 'Alder'), ('crm:accounts:A2', 'Birch')) as t(key, name)",
    )
    text = json.dumps({"files": files})
    (folder / "manifest.json").write_text(text, encoding="utf-8")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder of one release, live."""
    root = tmp_path / "out" / "published"
    folder = root / "releases" / RELEASE
    (folder / "marts").mkdir(parents=True)
    marts, records = [], []
    for name, (key, query) in ROWS.items():
        path = folder / "marts" / f"{name}.parquet"
        duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")
        with duckdb.connect(config={"preserve_insertion_order": True}) as reader:
            rows, sha256 = content_sha256(reader, path)
        marts.append(Mart(name, key, description=f"about {name}", columns={key[0]: "the key"}))
        records.append({"name": name, "key": list(key), "rows": rows, "sha256": sha256})
    write_database(marts=marts, folder=folder / "marts", target=folder / "marts.duckdb")
    manifest = {
        "release_id": RELEASE,
        "marts": records,
        "checks": [{**CHECK, "observed": "Alder & Söhne GmbH: 3, by anna@example.com"}],
        "inputs": [
            {
                **{
                    "file": "crm/contacts.csv",
                    "sha256": "s",
                    "system": "crm",
                    "entity": "contacts",
                },
                "profile": "generic",
                **{"rows_read": 10, "rows_loaded": 1, "rows_superseded": 8, "rows_rejected": 1},
            }
        ],
        **{"previous_release_id": None, "as_of": "2026-01-01", "run_at": "2026-01-01T00:00:00"},
        **{"reporting_currency": "EUR", "policy_sha256": "p", "versions": {}},
        "totals": {
            **{"revenue": "13.5", "gross_margin": None, "excluded_value": "0", "accounts": 2},
            "accounts_by_final_tier": {"A": 2},
        },
        "of_a_newer_version": 1,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    page = "<p>Alder &amp; Söhne GmbH</p><script>{'n': 'Alder & S\\u00f6hne GmbH'}</script>"
    (folder / "report.html").write_text(page, encoding="utf-8")
    write_audiences(folder / "audiences")
    (root / "current.json").write_text(json.dumps({"release_id": RELEASE}), encoding="utf-8")
    (root / "marts.duckdb").write_bytes((folder / "marts.duckdb").read_bytes())
    return root
