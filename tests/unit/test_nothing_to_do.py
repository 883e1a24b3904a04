"""A run that would say the same again is not made; any doubt makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.lib.extracts.ledger import hash_file
from dagster_project.lib.landing import land_everything
from dagster_project.lib.nothing_to_do import is_up_to_date
from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.manifest import InputFile, Manifest, Totals, versions
from dagster_project.policy import load_policy
from dagster_project.settings import Settings

EXTRACTS = {
    "crm/accounts.csv": "account_id,account_name\n1,Alder\n",
    "erp/customers.csv": "customer_id,customer_name\nC1,ALDER\n",
    "erp/invoice_lines.csv": (
        "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency\n"
        "I1,1,C1,2025-12-09,invoice,10,EUR\n"
    ),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, text in EXTRACTS.items():
        path = tmp_path / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Settings(landing=tmp_path / "landing", out=tmp_path / "out")


@pytest.fixture
def live(settings: Settings) -> LiveRelease:
    """A release of exactly these extracts."""
    inputs = tuple(
        InputFile(
            file=name,
            sha256=hash_file(settings.landing / name),
            system=name.split("/")[0],
            entity=Path(name).stem,
            profile="generic",
            rows_read=1,
            rows_loaded=1,
            rows_superseded=0,
            rows_rejected=0,
        )
        for name in sorted(EXTRACTS)
    )
    manifest = Manifest(
        release_id="20260101T000000Z-00000000",
        previous_release_id=None,
        as_of=date(2026, 1, 1),
        run_at=datetime(2026, 1, 1, tzinfo=UTC),
        reporting_currency="EUR",
        policy_sha256=load_policy(None).sha256(),
        inputs=inputs,
        totals=Totals(
            revenue=Decimal(10),
            gross_margin=None,
            excluded_value=Decimal(0),
            accounts=1,
            accounts_by_final_tier={"A": 1},
        ),
        checks=(),
        marts=(),
        versions=versions(),
    )
    return LiveRelease(settings.published, manifest)


def test_same_files_policy_and_day_are_up_to_date(settings: Settings, live: LiveRelease) -> None:
    dated = settings.model_copy(update={"as_of": date(2026, 1, 1)})
    assert is_up_to_date(live, dated, load_policy(None))


def test_default_day_is_known_only_of_landed_lines(settings: Settings, live: LiveRelease) -> None:
    assert not is_up_to_date(live, settings, load_policy(None))
    report = land_everything(settings, scratch=settings.out)
    assert (report.errors, report.rows_read, report.rows_rejected) == ([], 3, 0)
    assert is_up_to_date(live, settings, load_policy(None))


@pytest.mark.parametrize(
    "change",
    [
        lambda settings: (settings.landing / "crm/accounts.csv").write_text("account_id\n1\n"),
        lambda settings: (settings.landing / "erp/customers.csv").unlink(),
        lambda settings: (settings.landing / "erp/products.csv").write_text("product_id\nP1\n"),
        lambda settings: (settings.landing / "erp/customers.csv").rename(
            settings.landing / "erp/customers_2.csv"
        ),
    ],
    ids=["changed", "removed", "added", "renamed"],
)
def test_other_files_are_not(
    settings: Settings, live: LiveRelease, change: Callable[[Settings], object]
) -> None:
    dated = settings.model_copy(update={"as_of": date(2026, 1, 1)})
    change(dated)
    assert not is_up_to_date(live, dated, load_policy(None))


def test_another_day_policy_or_version_is_not(
    settings: Settings, live: LiveRelease, tmp_path: Path
) -> None:
    dated = settings.model_copy(update={"as_of": date(2026, 1, 1)})
    policy = load_policy(None)
    assert not is_up_to_date(live, dated.model_copy(update={"as_of": date(2025, 12, 1)}), policy)
    (tmp_path / "policy.yml").write_text("window_months: 6\n")
    assert not is_up_to_date(live, dated, load_policy(tmp_path / "policy.yml"))
    older = live.manifest.model_copy(update={"versions": versions() | {"duckdb": "0"}})
    assert not is_up_to_date(replace(live, manifest=older), dated, policy)


def test_absent_landing_folder_is_not(settings: Settings, live: LiveRelease) -> None:
    absent = settings.model_copy(update={"landing": settings.landing / "absent"})
    assert not is_up_to_date(live, absent, load_policy(None))


def test_required_extracts_that_are_absent_are_named(settings: Settings) -> None:
    (settings.landing / "erp/invoice_lines.csv").unlink()
    errors = land_everything(settings, scratch=settings.out).errors
    assert len(errors) == 1
    assert "invoice_lines" in errors[0]
