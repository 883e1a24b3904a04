"""What a folder looks like: the likely profile is proposed, and nothing is chosen."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.lib.extracts.proposals import proposals
from tests.unit.extracts.test_profile_samples import SAMPLES, SHIPPED_PROFILES


@pytest.mark.parametrize("profile", SHIPPED_PROFILES)
def test_a_systems_own_files_look_like_its_profile(profile: str, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / profile / "landing", tmp_path / "sys")
    (look,) = proposals(tmp_path, profiles={}, own=None)
    assert look.used.profile == "generic"
    assert look.likely is not None
    assert look.likely.profile == profile
    assert f"--profile sys={profile}" in str(look)
    (look,) = proposals(tmp_path, profiles={"sys": profile}, own=None)
    assert look.likely is None
    assert "--profile" not in str(look)


def test_packed_files_are_looked_into(tmp_path: Path) -> None:
    sample = SAMPLES / "fec" / "landing"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with zipfile.ZipFile(tmp_path / "a" / "compta.zip", "w") as archive:
        for path in sorted(sample.iterdir()):
            archive.write(path, path.name)
    for path in sorted(sample.iterdir()):
        (tmp_path / "b" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    looks = proposals(tmp_path, profiles={}, own=None)
    assert [(look.system, look.likely and look.likely.profile) for look in looks] == [
        ("a", "fec"),
        ("b", "fec"),
    ]


def test_a_folder_that_looks_like_nothing_gets_no_proposal(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "notes.csv").write_text("this;is;nothing\n")
    (tmp_path / "sys" / "broken.zip").write_text("no archive")
    (look,) = proposals(tmp_path, profiles={}, own=None)
    assert (look.files, look.used.files, look.likely) == (2, 0, None)


def test_kam_check_proposes_and_reads_as_it_was_told(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "hubspot" / "landing", tmp_path / "crm")
    told = CliRunner().invoke(app, ["check", "--landing", str(tmp_path)])
    assert "crm is read as generic" in told.output
    assert "--profile crm=hubspot" in told.output
    told = CliRunner().invoke(
        app, ["check", "--landing", str(tmp_path), "--profile", "crm=hubspot", "--json"]
    )
    answer = json.loads(told.stdout)
    assert answer["profiles"][0]["likely"] is None
    assert {file["entry"]["entity"] for file in answer["files"]} >= {"accounts", "contacts"}


def test_kam_profiles_lists_and_shows() -> None:
    listed = CliRunner().invoke(app, ["profiles", "--json"])
    assert set(json.loads(listed.stdout)["profiles"]) == {"generic", *SHIPPED_PROFILES}
    shown = CliRunner().invoke(app, ["profiles", "fec", "--lang", "fr"])
    assert shown.exit_code == 0
    assert "## `invoice_lines` à partir de" in shown.output
    unknown = CliRunner().invoke(app, ["profiles", "fecc"])
    assert unknown.exit_code == 2
    assert "'fecc' is not known" in unknown.output
