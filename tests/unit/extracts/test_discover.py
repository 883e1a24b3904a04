"""What a landing folder holds: files, what is left, what is ignored, what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagster_project.lib.extracts import stillness
from dagster_project.lib.extracts.discover import find_deliveries, layout_of
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.profile import load_profile

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder


def test_files_come_in_natural_order_with_system_and_entity(folder: LandingFolder) -> None:
    for name in (
        "erp/invoice_lines_10.csv",
        "erp/invoice_lines_2.csv.gz",
        "erp/account_costs.tsv",
        "crm_eu/Accounts-2024.CSV",
        "crm_eu/users.parquet",
    ):
        folder.write(name, "x")
    found = find_deliveries(folder.landing, profiles={"erp": "generic"})
    assert [
        (file.delivery_order, file.relative_path, file.system, file.entity, file.profile)
        for file in found.files
    ] == [
        (1, "crm_eu/Accounts-2024.CSV", "crm_eu", "accounts", "generic"),
        (2, "crm_eu/users.parquet", "crm_eu", "users", "generic"),
        (3, "erp/account_costs.tsv", "erp", "account_costs", "generic"),
        (4, "erp/invoice_lines_2.csv.gz", "erp", "invoice_lines", "generic"),
        (5, "erp/invoice_lines_10.csv", "erp", "invoice_lines", "generic"),
    ]
    assert (found.left, found.ignored, found.errors) == ((), (), ())


def test_the_longest_entity_name_counts() -> None:
    generic = load_profile("generic")
    assert layout_of("account_costs_2024.csv", generic) == "account_costs"
    assert layout_of("accounts.csv", generic) == "accounts"
    assert layout_of("notes.csv", generic) is None


def test_what_is_no_extract_is_ignored_with_the_reason(folder: LandingFolder) -> None:
    for name in (
        "README.md",
        "accounts.csv",
        ".DS_Store",
        "crm/accounts.csv",
        "crm/accounts.csv.done",
        "crm/.accounts.csv.swp",
        "crm/README.txt",
        "crm/accounts.sql",
        "crm/archive/accounts.csv",
    ):
        folder.write(name, "x")
    found = find_deliveries(folder.landing, profiles={})
    assert [file.relative_path for file in found.files] == ["crm/accounts.csv"]
    assert dict(found.ignored) == {
        ".DS_Store": "hidden",
        "README.md": "not in the folder of a source system",
        "accounts.csv": "not in the folder of a source system",
        "crm/.accounts.csv.swp": "hidden",
        "crm/README.txt": "its name begins with no known entity",
        "crm/accounts.csv.done": "marker",
        "crm/accounts.sql": "not a .csv, .tsv, .txt, .xlsx, .parquet or .zip file",
        "crm/archive": "its name begins with no known entity",
    }


def test_what_cannot_be_read_is_refused_by_name_and_the_rest_is_found(
    folder: LandingFolder, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "accounts.csv").write_text("x")
    folder.write("crm/accounts.csv", "x")
    (folder.landing / "crm" / "accounts_link.csv").symlink_to(outside / "accounts.csv")
    (folder.landing / "crm" / "accounts_inside.csv").symlink_to("accounts.csv")
    (folder.landing / "other").symlink_to(outside)
    (folder.landing / "erp" / "invoice_lines.csv").mkdir(parents=True)
    folder.write("erp/customers.xls", "x")
    folder.write("erp/customers.csv.7z", "x")
    folder.write("my crm/accounts.csv", "x")
    folder.write("legacy/accounts.csv", "x")
    found = find_deliveries(folder.landing, profiles={"legacy": "no_such"})
    errors = {error.file: str(error) for error in found.errors}
    for file, text in {
        "crm/accounts_link.csv": "leaves the landing folder",
        "other": "leaves the landing folder",
        "erp/invoice_lines.csv": "a directory",
        "erp/customers.xls": "Save it as CSV",
        "erp/customers.csv.7z": "Save it as CSV",
        "my crm": "other characters than letters",
        "legacy": "'no_such' is not known",
    }.items():
        assert text in errors.pop(file)
    assert errors == {}
    assert [file.relative_path for file in found.files] == [
        "crm/accounts.csv",
        "crm/accounts_inside.csv",
    ]


def test_a_missing_or_empty_landing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="does not exist"):
        find_deliveries(tmp_path / "nowhere", profiles={})
    (tmp_path / "README").write_text("x")
    with pytest.raises(ExtractError, match="holds no extract"):
        find_deliveries(tmp_path, profiles={})


def test_a_file_still_being_written_is_left(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = folder.write("crm/accounts.csv", "x")
    folder.write("crm/users.csv", "x")
    looks: list[float] = []

    def write_on(seconds: float) -> None:
        looks.append(seconds)
        growing.write_text("xx")

    monkeypatch.setattr(stillness.time, "sleep", write_on)
    found = find_deliveries(folder.landing, profiles={})
    assert found.left == ("crm/accounts.csv",)
    assert [(file.relative_path, file.delivery_order) for file in found.files] == [
        ("crm/users.csv", 1)
    ]
    assert len(looks) == 1


def test_files_that_stand_still_cost_no_wait(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write("crm/accounts.csv", "x")
    past = time.time() - 60
    os.utime(path, (past, past))
    monkeypatch.setattr(stillness.time, "sleep", lambda _: pytest.fail("waited"))
    assert len(find_deliveries(folder.landing, profiles={}).files) == 1


def test_a_copy_with_a_number_comes_after_its_original(folder: LandingFolder) -> None:
    names = ("users.csv", "users (2).csv", "users-corrected.csv", "users_2.csv", "users_10.csv.gz")
    for name in names:
        folder.write(f"crm/{name}", "user_id\n1\n")
    found = find_deliveries(folder.landing, profiles={}).files
    assert [file.name for file in found] == [
        "users.csv",
        "users (2).csv",
        "users-corrected.csv",
        "users_2.csv",
        "users_10.csv.gz",
    ]


def test_a_name_that_is_no_text_is_refused_by_name(folder: LandingFolder) -> None:
    folder.write("crm/accounts.csv", "account_id,account_name\n1,A\n")
    path = os.fsencode(folder.landing / "crm") + b"/users_cl\xf4ture.csv"
    Path(os.fsdecode(path)).write_bytes(b"user_id\n1\n")
    (error,) = find_deliveries(folder.landing, profiles={}).errors
    assert "users_cl\\udcf4ture.csv: the file's name is no text in UTF-8" in str(error)
