"""Audience files of releases that follow: nothing where nothing changed, and what a CRM gets of a change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkers import folder
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    Refreshed,
    published,
    refreshed,
    replace_line,
)


@pytest.fixture(scope="module")
def repeated(golden: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company's release after the same invoices were delivered again and all was built anew."""
    company = golden.copy(tmp_path_factory.mktemp("repeated"))
    lines = company.landing / "erp" / "invoice_lines.csv"
    shutil.copy(lines, lines.with_name("invoice_lines_again.csv"))
    outcome = refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, full=True)
    published(outcome)
    assert company.live.release_id != golden.live.release_id
    return company


def test_the_same_data_again_change_nothing(golden: Refreshed, repeated: Refreshed) -> None:
    assert repeated.rows("select * from account_changes") == []
    query = "select account_key, row_hash, updated_at from account_tiers order by all"
    assert repeated.rows(query) == golden.rows(query)
    for file in ("salesforce/changed_accounts.csv", "hubspot/changed_accounts.csv"):
        assert repeated.audience_rows(file) == [], file
    assert len(golden.audience_rows("salesforce/changed_accounts.csv")) > 0
    differences = [*repeated.live.audiences.rglob("*_add.csv")]
    differences += repeated.live.audiences.rglob("*_remove.csv")
    assert len(differences) >= 6 * len(("generic", "6sense", "demandbase"))
    assert {
        repeated.audience_rows(str(p.relative_to(repeated.live.audiences))) == []
        for p in differences
    } == {True}


def test_a_crm_gets_what_changed_in_its_own_columns_and_is_cleared_once(
    golden: Refreshed, repeated: Refreshed, tmp_path: Path
) -> None:
    """One invoice more moves every share. Of Hazel (suppressed) and Juniper (left the CRM) only Hazel is cleared."""
    company = repeated.copy(tmp_path)
    lines = company.landing / "erp" / "invoice_lines.csv"
    replace_line(
        lines, 8, "I401,1,C4,2025-03-20,invoice,,,200", "I401,1,C4,2025-03-20,invoice,,,201"
    )
    (company.landing / "erp" / "invoice_lines_again.csv").unlink()
    accounts = company.landing / "crm" / "accounts.csv"
    replace_line(accounts, 9, "10,Juniper,,prospect,,,FR", "99,Larch,,prospect,,,DE")
    suppressions = company.landing / "governance" / "suppressions.csv"
    suppressions.write_text(
        "account_id,reason,since\n8,asked not to be profiled,2025-12-01\n", encoding="utf-8"
    )
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF))
    changes = company.rows("select account_key from account_changes")
    rows = {
        row["Account_Key__c"]: row
        for row in company.audience_rows("salesforce/changed_accounts.csv")
    }
    assert len(changes) > len(rows), "shares and ranks moved for many accounts"
    assert "crm:accounts:10" not in rows, "an upsert would create the account anew"
    hazel = rows.pop("crm:accounts:8")
    assert {value for name, value in hazel.items() if name != "Account_Key__c"} == {"#N/A"}
    dogwood = rows.pop("crm:accounts:4")
    assert dogwood["Tier_Revenue__c"] == "501.0000"
    assert rows.pop("crm:accounts:99")["Final_Tier__c"]
    before = golden.accounts()
    compared = ("final_tier", "previous_tier", "value_tier", "potential_tier", "posture", "revenue")
    for key in rows:
        assert any(
            before[key][c] != company.accounts()[key][c] for c in (*compared, "gross_margin")
        )
    assert folder.check(company.live.audiences) == []
