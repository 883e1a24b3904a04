"""Settings: which source wins, where things lie, and what each slip is told."""

import os
from datetime import date
from pathlib import Path

import pytest

from dagster_project.settings import (
    DAGSTER_INSTANCE,
    TELEMETRY_OFF,
    Settings,
    SettingsError,
    disable_telemetry,
    load_settings,
    parse_profiles,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_without_any_source(folder: Path) -> None:
    settings = load_settings(environment={})
    assert settings == Settings()
    assert settings.schedule == "0 6 * * *"
    assert settings.memory_limit == "1GB"
    assert settings.threads == os.cpu_count()
    assert settings.profile("erp") == "generic"


def test_flags_beat_environment_beats_file_beats_defaults(folder: Path) -> None:
    (folder / "kam.yml").write_text(
        "{landing: in, out: from_file, threads: 3, profiles: {erp: generic, crm: salesforce}}"
    )
    environment = {
        "KAM_OUT": "from_environment",
        "KAM_THREADS": "4",
        "KAM_PROFILES": "erp=french_csv, hr=generic",
        "KAM_AS_OF": " ",
    }
    flags = {"out": Path("from_flag"), "profiles": {"hr": "odoo"}, "as_of": None}
    settings = load_settings(None, flags, environment=environment)
    assert settings.landing == Path("in")
    assert settings.out == Path("from_flag")
    assert settings.threads == 4
    assert settings.profiles == {"erp": "french_csv", "crm": "salesforce", "hr": "odoo"}
    assert settings.as_of is None


def test_every_variable_is_read(folder: Path) -> None:
    environment = {
        "KAM_LANDING": "l",
        "KAM_OUT": "o",
        "KAM_POLICY": "p.yml",
        "KAM_AS_OF": "2014-01-01",
        "KAM_PROFILES": "erp=generic",
        "KAM_MEMORY_LIMIT": "800MB",
        "KAM_TEMPORARY_DIRECTORY": "t",
        "KAM_THREADS": "2",
    }
    settings = load_settings(environment=environment)
    assert (settings.landing, settings.out, settings.policy) == (
        Path("l"),
        Path("o"),
        Path("p.yml"),
    )
    assert settings.as_of == date(2014, 1, 1)
    assert (settings.memory_limit, settings.threads) == ("800MB", 2)
    assert settings.temporary_directory == Path("t")


def test_relative_paths_start_at_the_settings_file(folder: Path) -> None:
    path = folder / "there" / "own.yml"
    path.parent.mkdir()
    path.write_text("{landing: extracts, policy: ../usd.yml, as_of: 2014-01-01}")
    settings = load_settings(path, environment={})
    assert settings.landing == path.parent / "extracts"
    assert settings.policy == path.parent / "../usd.yml"
    assert settings.as_of == date(2014, 1, 1)


def test_paths_of_the_output_folder() -> None:
    settings = Settings(out=Path("o"))
    assert settings.raw == Path("o/raw")
    assert settings.warehouse == Path("o/warehouse/warehouse.duckdb")
    assert settings.published == Path("o/published")
    assert settings.dagster_home == Path("o/dagster")
    assert settings.runs == Path("o/runs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("landin: x", "landin: unknown key; did you mean landing?"),
        ("threads: many", "threads: many must be a whole number; correct the value"),
        ("threads: 0", "threads: 0 must be 1 or more; correct the value"),
        (
            "schedule: daily",
            "schedule: daily is not a cron line of five fields; write one like 0 6 * * *",
        ),
        ("timezone: Mars/One", "timezone: Mars/One is no time zone; write one like Europe/Paris"),
        (
            "memory_limit: lots",
            "memory_limit: lots is not an amount of memory; write one like 1GB or 800MB",
        ),
        ("as_of: soon", "as_of: soon must be a date YYYY-MM-DD; correct the value"),
        (
            "profiles: [a]",
            "profiles: ['a'] must be a list of `key: value` lines; correct the value",
        ),
        (
            "landing: s3://bucket/x",
            "landing: s3://bucket/x is not a local path; name a local folder or file",
        ),
        ("as_of: 2014-13-01", "month must be in 1..12; correct the value"),
    ],
)
def test_slip_in_the_file_names_file_and_key(folder: Path, text: str, message: str) -> None:
    (folder / "kam.yml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(environment={})
    assert str(caught.value) == f"settings kam.yml: {message}"


def test_slip_in_the_environment_or_a_flag_names_it(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment={"KAM_THREADS": "many"})
    assert str(caught.value) == (
        "environment KAM_THREADS: threads: many must be a whole number; correct the value"
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(environment={"KAM_PROFILES": "erp"})
    assert str(caught.value) == (
        "environment KAM_PROFILES: profile erp: write it as SYSTEM=NAME, such as erp=generic"
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"as_of": "soon"}, environment={})
    assert str(caught.value) == (
        "flag --as-of: as_of: soon must be a date YYYY-MM-DD; correct the value"
    )


def test_named_settings_file_must_exist(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(Path("own.yml"), environment={})
    assert str(caught.value) == "settings own.yml: there is no such file; check the path"


def test_profiles_of_the_command_line() -> None:
    assert parse_profiles(["erp = generic", "crm=salesforce"]) == {
        "erp": "generic",
        "crm": "salesforce",
    }
    with pytest.raises(SettingsError) as caught:
        parse_profiles(["erp=generic", "erp=odoo"])
    assert str(caught.value) == ("profile erp=odoo: erp already has the profile generic; keep one")


def test_telemetry_is_off_and_the_users_own_choice_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Set, then delete: monkeypatch restores what disable_telemetry writes.
    for name in (*TELEMETRY_OFF, "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    disable_telemetry(tmp_path / "dagster")
    assert os.environ["DO_NOT_TRACK"] == "0"
    assert os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "1"
    assert Path(os.environ["DAGSTER_HOME"]) == (tmp_path / "dagster").resolve()
    assert (tmp_path / "dagster" / "dagster.yaml").read_text() == DAGSTER_INSTANCE
    from dagster_shared.telemetry import get_telemetry_enabled_from_dagster_yaml

    assert get_telemetry_enabled_from_dagster_yaml() is False
