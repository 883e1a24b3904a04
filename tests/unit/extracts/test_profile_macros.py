"""A profile's own macros; exports that are complete and that are not; deletions told by a later delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.lib.extracts.profile import ProfileError, load_profile, read_profile
from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import load_settings
from tests.unit.extracts.test_mapped import BILLS, Shop
from tests.unit.extracts.test_profile import SHOP, write

WITH_MACROS = SHOP.replace(
    "layouts:",
    """macros:
  short: "left(x, 2)"
  shouted: "short(x) || '!'"
layouts:""",
    1,
).replace("invoice_id: number", 'invoice_id: {from: number, sql: "shouted(this.number)"}')
CLIENTS = "code;name\nC1;Ann\nC2;Bob\n"


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


def test_a_macro_may_use_those_before_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WITH_MACROS)
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", CLIENTS)
    assert shop.lines(shop.land()) == [("B1!", "C1", "10.5000"), ("B2!", "C2", "-3.0000")]


def test_a_macro_that_fails_is_said_with_its_name(tmp_path: Path) -> None:
    shop = Shop(tmp_path, WITH_MACROS.replace('"left(x, 2)"', '"left(x, 2"'))
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", CLIENTS)
    errors = [error for error in shop.land().errors if "SQL of" in error]
    assert errors
    for error in errors:
        assert "the SQL of the profile's macro short fails" in error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("as_number", "as_number is a macro of the dialect; give yours another name"),
        ("Short-cut", "Short-cut is no name of a macro"),
    ],
)
def test_a_macro_has_a_name_of_its_own(tmp_path: Path, name: str, said: str) -> None:
    path = write(tmp_path, SHOP.replace("layouts:", f'macros: {{{name}: "x"}}\nlayouts:', 1))
    with pytest.raises(ProfileError, match=said):
        read_profile(path)


@pytest.mark.parametrize(
    ("file", "extract"),
    [
        ("hubspot-crm-exports-all-deals-2026-11-14.csv", "2026-11-14"),
        ("hubspot-crm-exports-all-deals-2026-11-14-2.csv", "2026-11-14"),
        ("hubspot-crm-exports-toutes-les-transactions-2026-11-14.csv", "2026-11-14"),
        ("hubspot-crm-exports-my-deals-2026-11-15.csv", ""),
        ("hubspot-crm-exports-small-deals-2026-11-15.csv", ""),
        ("deals.csv", ""),
    ],
)
def test_only_an_export_of_all_records_replaces_the_one_before(file: str, extract: str) -> None:
    assert load_profile("hubspot").layouts["deals"].extract_of(file) == extract


HEADER = "Id,IsDeleted,AccountId,StageName,Amount,CloseDate\n"


def _land(folder: Path) -> LandingReport:
    flags = {"landing": folder, "out": folder.parent / "out", "profiles": {"crm": "salesforce"}}
    settings = load_settings(None, flags, environment={})
    return land_everything(settings, scratch=folder.parent / "scratch")


def _rows(report: LandingReport) -> dict[str, tuple[int, dict[str, int]]]:
    return {
        file.file: (file.entry.rows_loaded, dict(file.entry.rows_left_out))
        for file in report.files
        if file.entry.entity == "opportunities"
    }


def test_a_later_delivery_says_that_a_record_was_deleted_and_that_it_came_back(
    tmp_path: Path,
) -> None:
    crm = tmp_path / "landing" / "crm"
    crm.mkdir(parents=True)
    first, second = "0065g00000Op1xA,0,0015g00000Kx1aB,New,10,2026-12-01\n", "0065g00000Op2xB"
    (crm / "Opportunity_1.csv").write_text(
        f"{HEADER}{first}{second},0,0015g00000Kx1aB,New,20,2026-12-01\n"
    )
    assert _rows(_land(crm.parent)) == {"crm/Opportunity_1.csv": (2, {})}
    gone = f"{HEADER}{second},1,0015g00000Kx1aB,New,20,2026-12-01\n"
    (crm / "Opportunity_2.csv").write_text(gone)
    assert _rows(_land(crm.parent)) == {
        "crm/Opportunity_1.csv": (1, {"deleted": 1}),
        "crm/Opportunity_2.csv": (0, {"deleted": 1}),
    }
    (crm / "Opportunity_3.csv").write_text(gone.replace(",1,", ",0,"))
    assert _rows(_land(crm.parent)) == {
        "crm/Opportunity_1.csv": (2, {}),
        "crm/Opportunity_2.csv": (1, {}),
        "crm/Opportunity_3.csv": (1, {}),
    }
