"""The archive that Superset imports, and what `make dashboard` keeps beside it."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dagster_project import dashboard
from dagster_project.lib.dashboard.bundle import (
    DATABASE,
    METADATA,
    assets_for,
    duckdb_uri,
    read_assets,
    write_bundle,
    write_folder,
)

POSTGRES = "postgresql+psycopg2://reader@db.example/company"


def test_the_archive_has_every_asset_under_one_folder(tmp_path: Path) -> None:
    write_bundle(tmp_path / "new" / "dashboard.zip", duckdb_uri(tmp_path / "marts.duckdb"))
    with zipfile.ZipFile(tmp_path / "new" / "dashboard.zip") as archive:
        names = archive.namelist()
        database = yaml.safe_load(archive.read(f"account_tiering/{DATABASE}"))
        metadata = yaml.safe_load(archive.read(f"account_tiering/{METADATA}"))
    assert sorted(names) == sorted(f"account_tiering/{path}" for path in read_assets())
    assert database["sqlalchemy_uri"] == f"duckdb:///{tmp_path}/marts.duckdb"
    assert metadata["type"] == "Dashboard"


def test_another_database_gets_its_address_and_no_argument_of_duckdb() -> None:
    assets = {
        path: yaml.safe_load(text) for path, text in assets_for(POSTGRES, schema="kam").items()
    }
    assert assets[DATABASE]["sqlalchemy_uri"] == POSTGRES
    assert "engine_params" not in assets[DATABASE]["extra"]
    schemas = {a.get("schema") for path, a in assets.items() if path.startswith("datasets/")}
    assert schemas == {"kam"}


def test_the_folder_is_of_the_type_that_overwrites(tmp_path: Path) -> None:
    write_folder(tmp_path, POSTGRES)
    assert yaml.safe_load((tmp_path / METADATA).read_text())["type"] == "assets"
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml")}
    assert written == set(read_assets())


def test_the_password_is_the_environments_else_made_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {dashboard.PASSWORD_VARIABLE: "given"}
    assert dashboard._password(tmp_path, given) == "given"
    assert list(tmp_path.iterdir()) == []
    made = dashboard._password(tmp_path, {})
    assert made in capsys.readouterr().out and len(made) >= 16
    assert dashboard._password(tmp_path, {}) == made
    assert capsys.readouterr().out == ""
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


def test_the_key_is_kept_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first = dashboard._config(tmp_path).read_text()
    assert dashboard._config(tmp_path).read_text() == first
    assert stat.S_IMODE((tmp_path / "superset_config.py").stat().st_mode) == 0o600
    compile(first, "superset_config.py", "exec")


def test_nothing_published_and_no_superset_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, told in (
        (["serve", "--out", str(tmp_path)], "nothing is published"),
        (["serve", "--out", str(tmp_path), "--uri", POSTGRES], "make dashboard sets it up"),
    ):
        monkeypatch.setattr("sys.argv", ["dashboard", *arguments, "--superset", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            dashboard.main()
        assert ended.value.code == 1
        assert told in capsys.readouterr().err


def test_the_archive_is_written_by_a_command(tmp_path: Path) -> None:
    target = tmp_path / "dashboard.zip"
    done = CliRunner().invoke(dashboard.app, ["archive", str(target), "--uri", POSTGRES])
    assert done.exit_code == 0, done.output
    assert zipfile.is_zipfile(target)
