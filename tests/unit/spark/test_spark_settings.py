"""The section `spark` of the settings: its sources, its slips, and what dbt and the session are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagster_project.lib.spark.session import JAVA_OPTIONS, session_configuration
from dagster_project.settings import Settings, SettingsError, load_settings, share_settings
from dagster_project.spark_settings import SparkSettings, variables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_engine_is_duckdb_unless_it_is_said(folder: Path) -> None:
    assert not load_settings(environment={}).on_spark
    assert load_settings(environment={"KAM_ENGINE": "spark_thrift"}).on_spark
    assert load_settings(None, {"engine": "spark_connect"}, environment={}).on_spark


def test_environment_beats_the_file(folder: Path) -> None:
    (folder / "kam.yml").write_text(
        "engine: spark_session\nspark: {master: 'spark://a:7077', warehouse: tables, conf: {spark.x: '1'}}"
    )
    environment = {
        "KAM_SPARK_MASTER": "spark://b:7077",
        "KAM_SPARK_CONF": '{"spark.executor.memory": "4g"}',
        "KAM_SPARK_SHUFFLE_PARTITIONS": "64",
    }
    settings = load_settings(environment=environment)
    assert settings.spark.master == "spark://b:7077"
    assert settings.spark.conf == {"spark.executor.memory": "4g"}
    assert settings.spark.shuffle_partitions == 64
    assert settings.spark_warehouse == Path("tables")


def test_each_engine_has_a_warehouse_file_of_its_own() -> None:
    assert Settings(out=Path("o")).warehouse == Path("o/warehouse/warehouse.duckdb")
    assert Settings(out=Path("o"), engine="spark_session").warehouse == Path(
        "o/warehouse/spark.duckdb"
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"KAM_ENGINE": "spark"}, "environment KAM_ENGINE: engine: spark must be 'duckdb', "),
        (
            {"KAM_SPARK_THRIFT_PORT": "high"},
            "environment KAM_SPARK_THRIFT_PORT: spark.thrift_port: high must be a whole number",
        ),
        (
            {"KAM_SPARK_CONF": "spark.x=1"},
            "environment KAM_SPARK_CONF: spark.conf: spark.x=1 is not JSON; write it like",
        ),
    ],
)
def test_slip_names_the_variable(folder: Path, environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match="^" + message.replace(".", r"\.")):
        load_settings(environment=environment)


def test_slip_in_the_file_names_the_key(folder: Path) -> None:
    (folder / "kam.yml").write_text("spark: {maste: x}")
    with pytest.raises(SettingsError, match=r"spark\.maste: unknown key; did you mean master\?"):
        load_settings(environment={})


def test_run_reads_back_what_it_was_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    told = Settings(
        engine="spark_thrift",
        spark=SparkSettings(thrift_port=10_009, conf={"spark.x": "1"}, hand_over=Path("/shared")),
    )
    share_settings(told)
    assert set(variables()) <= set(os.environ)
    found = load_settings()
    assert (found.engine, found.spark) == (told.engine, told.spark)


def test_password_is_no_setting() -> None:
    assert not [
        name for name in SparkSettings.model_fields if "password" in name or "token" in name
    ]


def test_session_keeps_its_servers_on_this_machine(tmp_path: Path) -> None:
    told = session_configuration(Settings(), tmp_path)
    assert told["spark.driver.bindAddress"] == told["spark.driver.host"] == "127.0.0.1"
    assert told["spark.ui.enabled"] == "false"
    assert told["spark.sql.warehouse.dir"] == str(tmp_path)


def test_sessions_conf_is_stronger_and_adds_java_options(tmp_path: Path) -> None:
    spark = SparkSettings(conf={"spark.ui.enabled": "true", JAVA_OPTIONS: "-Xss4m"})
    told = session_configuration(Settings(spark=spark), tmp_path)
    assert told["spark.ui.enabled"] == "true"
    assert told[JAVA_OPTIONS].startswith("-Dlog4j2.configurationFile=file:")
    assert told[JAVA_OPTIONS].endswith(" -Xss4m")
