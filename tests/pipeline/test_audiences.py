"""Audience files of published releases: read back by checkers, held against a reference, shown by `kam`."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib import reference_account_audiences as reference
from dagster_project.lib.demo.truth import Truth
from tests.checkers import folder
from tests.pipeline.pipeline_runs import (
    REPOSITORY,
    Refreshed,
    kam,
)

SEED = REPOSITORY / "dbt" / "seeds" / "audiences.csv"
OF_ACCOUNTS = ("generic", "linkedin_companies", "6sense", "demandbase")


def by_key(company: Refreshed, mart: str) -> dict[str, dict[str, Any]]:
    return {row["account_key"]: row for row in company.rows(f"select * from {mart}")}


def domains_of(company: Refreshed) -> dict[str, set[str]]:
    """By account the domains of all its members."""
    rows = company.warehouse_rows(
        "select account_key, normalised from intermediate.int_identity_identifiers "
        "inner join marts.account_members using (source_system, source_entity, source_id) "
        "where kind = 'domain'"
    )
    domains = defaultdict[str, set[str]](set)
    for row in rows:
        domains[row["account_key"]].add(row["normalised"])
    return domains


def lines_of_seed() -> list[dict[str, str]]:
    with SEED.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def left_out(company: Refreshed, destination: str) -> dict[str, dict[str, int]]:
    """By audience what the manifest says is left out, by reason."""
    manifest = json.loads((company.live.audiences / "manifest.json").read_text(encoding="utf-8"))
    files = [entry for entry in manifest["files"] if entry["destination"] == destination]
    return {entry["audience"]: entry["left_out"] for entry in files}


def counted(reasons: Mapping[str, str | None]) -> dict[str, int]:
    found = sorted(reason for reason in reasons.values() if reason is not None)
    return {reason: found.count(reason) for reason in found}


@pytest.mark.parametrize("company", ["demo", "adventureworks", "golden", "second_golden"])
def test_every_file_keeps_to_its_destinations_rules(
    request: pytest.FixtureRequest, company: str
) -> None:
    made = request.getfixturevalue(company)
    live = (made[0] if company == "demo" else made).live
    assert folder.check(live.audiences) == []
    assert {path.name for path in live.audiences.iterdir() if path.is_dir()} >= {
        "generic",
        "salesforce",
        "hubspot",
        "6sense",
        "demandbase",
    }


def test_demandbase_gets_each_domain_from_the_account_that_keeps_it(
    demo: tuple[Refreshed, Truth],
) -> None:
    company, _ = demo
    accounts, tiers = by_key(company, "abm_accounts"), by_key(company, "account_tiers")
    reasons = reference.domain_reasons(accounts.values(), tiers, domains_of(company))
    assert counted(reasons)["shared_domain"] > 0, "the demo company has shared domains"
    audiences = reference.members(accounts.values(), lines_of_seed())
    for audience, members in audiences.items():
        own = {key: reasons[key] for key in members}
        expected = {
            (accounts[key]["account_name"], accounts[key]["website_domain"])
            for key, reason in own.items()
            if reason is None
        }
        rows = company.audience_rows(f"demandbase/{audience}.csv")
        assert {(row["Account Name"], row["Account Domain"]) for row in rows} == expected
        assert left_out(company, "demandbase")[audience] == counted(own)


def test_6sense_gets_groups_with_their_sites(demo: tuple[Refreshed, Truth]) -> None:
    company, _ = demo
    accounts, tiers = by_key(company, "abm_accounts"), by_key(company, "account_tiers")
    expected = reference.site_rows(accounts.values(), tiers, lines_of_seed(), domains_of(company))
    for audience, rows in expected.items():
        found = company.audience_rows(f"6sense/{audience}.csv")
        assert {(r["Account Name"], r["Country"], r["Domain"]) for r in found} == rows
        assert len(found) == len(rows)
    a_tiers = {row["account_name"] for row in accounts.values() if row["final_tier"] == "A"}
    beyond = {name for name, *_ in expected["A"]} - a_tiers
    assert beyond, "sites of other tiers stand with their group"


def test_hubspot_gets_every_domain_that_the_crm_has(demo: tuple[Refreshed, Truth]) -> None:
    company, _ = demo
    accounts, tiers = by_key(company, "abm_accounts"), by_key(company, "account_tiers")
    reasons = reference.domain_reasons(accounts.values(), tiers, domains_of(company))
    expected = {
        accounts[key]["website_domain"]: (
            key,
            tiers[key]["final_tier"],
            str(tiers[key]["revenue"]),
            "unknown" if tiers[key]["gross_margin"] is None else str(tiers[key]["gross_margin"]),
        )
        for key, reason in reasons.items()
        if reason is None and accounts[key]["crm_account_id"] is not None
    }
    columns = ("Account Key", "Final Tier", "Tier Revenue", "Tier Gross Margin")
    rows = company.audience_rows("hubspot/changed_accounts.csv")
    found = {row["Company domain name"]: tuple(row[c] for c in columns) for row in rows}
    assert found == expected


def test_suppressed_accounts_are_in_no_file(demo: tuple[Refreshed, Truth]) -> None:
    """Neither by name nor by key nor by domain, in whatever destination of accounts."""
    company, _ = demo
    domains = domains_of(company)
    suppressed = [row for row in by_key(company, "abm_accounts").values() if row["is_suppressed"]]
    assert len(suppressed) >= 2, "the demo company has accounts suppressed by domain and by account"
    for row in suppressed:
        words = {row["account_name"], row["account_key"], *domains[row["account_key"]]}
        for path in company.live.audiences.rglob("*.csv"):
            with path.open(encoding="utf-8", newline="") as lines:
                cells = {cell for line in csv.reader(lines) for cell in line}
            assert not words & cells, path.name


def test_kam_audiences_shows_the_files_and_who_is_left_out(demo: tuple[Refreshed, Truth]) -> None:
    company, _ = demo
    before = {p: p.stat().st_mtime_ns for p in company.live.folder.rglob("*")}
    run = kam("audiences", "--out", company.out, "--destination", "linkedin_companies", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {summary["destination"] for summary in told["audiences"]} == {"linkedin_companies"}
    shown = {summary["audience"]: summary for summary in told["audiences"]}
    whole = company.audience_rows("linkedin_companies/A.csv")
    added = company.audience_rows("linkedin_companies/A_add.csv")
    assert (shown["A"]["rows"], shown["A"]["added"]) == (len(whole), len(added))
    assert shown["A"]["left_out"] == left_out(company, "linkedin_companies")["A"]
    tiny = shown["prospects_A"]
    assert (tiny["status"], tiny["files"], tiny["wider_audience"]) == ("below_minimum", [], "A")
    assert Path(told["folder"]) == company.live.audiences
    text = kam("audiences", "--out", company.out)
    assert text.returncode == 0, text.stderr
    assert "below the minimum" in text.stdout
    assert "files are in" in text.stdout
    assert before == {p: p.stat().st_mtime_ns for p in company.live.folder.rglob("*")}


def test_kam_audiences_names_what_it_does_not_know(golden: Refreshed) -> None:
    run = kam("audiences", "--out", golden.out, "--destination", "facebook")
    assert run.returncode == 2
    assert "--destination facebook: not known; name one of generic, " in run.stderr
    assert "Traceback" not in run.stderr
    none = kam("audiences", "--out", golden.out / "none")
    assert (none.returncode, "no release is live" in none.stderr) == (2, True)


def test_what_differs_since_a_release_goes_into_a_new_folder(
    second_golden: Refreshed, tmp_path: Path
) -> None:
    """The second release renames Fir, brings Larch and has lost Juniper: so do the differences since the first."""
    first = second_golden.live.manifest.previous_release_id
    assert first is not None
    since = ("audiences", "--out", second_golden.out, "--since", first)
    run = kam(*since, "--to", tmp_path / "missed", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["since"], told["release_id"]) == (first, second_golden.live.release_id)
    written = {str(path.relative_to(tmp_path / "missed")) for path in tmp_path.rglob("*.csv")}
    assert written == {file for audience in told["audiences"] for file in audience["files"]}
    for file in written:
        assert (tmp_path / "missed" / file).read_bytes() == (
            second_golden.live.audiences / file
        ).read_bytes(), "between a release and the next it is what the next wrote"
    assert "salesforce/changed_accounts.csv" in written and "generic/A+B_add.csv" in written
    again = kam(*since, "--to", tmp_path / "missed")
    assert (again.returncode, "is there already; name a new folder" in again.stderr) == (2, True)
    unknown = kam("audiences", "--out", second_golden.out, "--since", "x", "--to", tmp_path / "x")
    assert unknown.returncode == 2
    assert "--since x: is not kept, or has no audience files; kept are " in unknown.stderr
