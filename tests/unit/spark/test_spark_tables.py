"""What passes between Spark and DuckDB, with a Spark that only notes what it is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.ledger import LedgerEntry, delivery_name
from dagster_project.lib.extracts.writing import empty_parquet
from dagster_project.lib.spark.connection import Answer, SparkError
from dagster_project.lib.spark.tables import HANDED_OVER, hand_in, hand_over
from dagster_project.lib.warehouse import dbt_project
from dagster_project.lib.warehouse.raw_zone import Delivery, create_raw_schema

PACKAGE = Path(__file__).parents[3] / "dagster_project"
NODE = {"schema": "marts", "alias": "account_tiers"}


class Noting:
    """Stands in for Spark's connection: statements are noted, `describe` answers what it was given."""

    def __init__(self, **told: str) -> None:
        self.statements: list[str] = []
        self.told = told

    def execute(self, statement: str) -> Answer:
        self.statements.append(statement)
        return Answer([], list(self.told.items()) if statement.startswith("describe") else [])


def landed(raw: Path, entity: str, delivery_id: int) -> LedgerEntry:
    """The entry of a landed file; hand_in looks at its name alone."""
    name = f"{delivery_name(delivery_id)}.parquet"
    (raw / entity / name).write_bytes((raw / entity / "_empty.parquet").read_bytes())
    counts = dict.fromkeys(["size", "rows_read", "rows_loaded", "rows_rejected"], 0)
    texts = dict.fromkeys(["file", "sha256", "system", "profile", "encoding", "dialect"], "x")
    entry = LedgerEntry.model_validate(
        {**counts, **texts, "entity": entity, "delivery_id": delivery_id, "landed": name}
    )
    (raw / "ledger").mkdir(exist_ok=True)
    (raw / "ledger" / f"{delivery_name(delivery_id)}.json").write_text(entry.model_dump_json())
    return entry


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw zone with an empty file for each entity."""
    for entity in load_entities().values():
        empty_parquet(entity, tmp_path / "raw")
    return tmp_path / "raw"


@pytest.fixture
def warehouse(raw: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse with the schema `raw` of one delivery of users; another one lies there no more."""
    landed(raw, "users", 7)
    today = Delivery("crm/users.csv", 1, landed(raw, "users", 8), is_repeated=False)
    connection = duckdb.connect()
    connection.execute(f"copy (select 'a' as kind) to '{raw / 'identifiers.parquet'}'")
    create_raw_schema(
        connection,
        raw=raw,
        deliveries=[today],
        identifiers=raw / "identifiers.parquet",
        live=None,
    )
    return connection


def test_entity_is_a_view_of_todays_files_where_they_lie(
    raw: Path, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    spark = Noting()
    hand_in(spark, warehouse, names=["users"], raw=raw, folder=tmp_path / "in")  # type: ignore[arg-type]
    table, view = spark.statements[-2:]
    assert table.startswith("create table raw.users_landed (user_id string, ")
    assert table.endswith(f"using parquet location '{(raw / 'users').as_uri()}'")
    assert "coalesce(line_number, _metadata.row_index + line_offset) as line_number" in view
    assert view.endswith(f"where _metadata.file_name in ('{delivery_name(8)}.parquet')")
    assert not (tmp_path / "in").exists()


def test_entity_without_files_shows_none(
    raw: Path, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    spark = Noting()
    hand_in(spark, warehouse, names=["contacts"], raw=raw, folder=tmp_path)  # type: ignore[arg-type]
    assert spark.statements[-1].endswith("where _metadata.file_name in ('')")


def test_small_input_becomes_a_file_with_sparks_types(
    raw: Path, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    spark = Noting()
    hand_in(spark, warehouse, names=["deliveries"], raw=raw, folder=tmp_path / "in")  # type: ignore[arg-type]
    folder = tmp_path / "in" / "raw" / "deliveries"
    assert spark.statements[-2] == "drop table if exists raw.deliveries"
    assert "delivery_id bigint, delivery_order bigint, is_repeated boolean" in spark.statements[-1]
    assert spark.statements[-1].endswith(f"location '{folder.as_uri()}'")
    rows = duckdb.sql(f"select source_file from read_parquet('{folder}/*.parquet')").fetchall()
    assert rows == [("crm/users.csv",)]


def test_parquet_table_is_read_where_it_lies(tmp_path: Path) -> None:
    table = tmp_path / "it's a table"
    table.mkdir()
    duckdb.execute(
        f"copy (select 'k' as account_key) to '{str(table).replace(chr(39), chr(39) * 2)}/p.parquet'"
    )
    spark = Noting(Provider="parquet", Location=table.as_uri())
    with duckdb.connect() as duck:
        hand_over(spark, duck, built=[NODE], folder=tmp_path / "out")  # type: ignore[arg-type]
        assert duck.execute("from marts.account_tiers").fetchall() == [("k",)]
    assert spark.statements == ["describe table extended marts.account_tiers"]


@pytest.mark.parametrize(
    "told",
    [
        {"Provider": "delta", "Location": "file:/tables/t"},
        {"Provider": "parquet", "Location": "s3://bucket/t"},
        {"Provider": "parquet", "Location": "file:/not/here"},
    ],
)
def test_another_table_is_written_as_parquet_first(tmp_path: Path, told: dict[str, str]) -> None:
    class Writing(Noting):
        def execute(self, statement: str) -> Answer:
            if statement.startswith("insert"):
                folder = tmp_path / "out" / "marts" / "account_tiers"
                folder.mkdir(parents=True)
                duckdb.execute(f"copy (select 'k' as account_key) to '{folder}/p.parquet'")
            return super().execute(statement)

    spark = Writing(**told)
    with duckdb.connect() as duck:
        hand_over(spark, duck, built=[NODE], folder=tmp_path / "out")  # type: ignore[arg-type]
        assert duck.execute("from marts.account_tiers").fetchall() == [("k",)]
    assert "using parquet select * from marts.account_tiers" in spark.statements[-1]


def test_folder_that_is_not_shared_is_named(tmp_path: Path) -> None:
    with duckdb.connect() as duck, pytest.raises(SparkError, match=r"set spark\.hand_over to"):
        hand_over(Noting(), duck, built=[NODE], folder=tmp_path)  # type: ignore[arg-type]


def test_only_what_later_steps_read_is_handed_over(tmp_path: Path) -> None:
    spark: Any = Noting()
    with duckdb.connect() as duck:
        hand_over(
            spark, duck, built=[{"schema": "staging", "alias": "stg_crm__users"}], folder=tmp_path
        )
    assert spark.statements == []


def test_everything_that_later_steps_name_is_handed_over() -> None:
    """Relations of the intermediate floor in the code of the gate, the recomputation and the release."""
    named = {
        found
        for module in (PACKAGE / "lib").rglob("*.py")
        # shows documents where DuckDB has the lines; simulates on a warehouse of DuckDB
        if module.name != "explained.py" and module.parent.name != "simulation"
        for found in re.findall(
            r"\b(?:intermediate|staging)\.([a-z_0-9]+)", module.read_text("utf-8")
        )
    }
    assert named == HANDED_OVER
    models = {
        str(node["name"])
        for node in dbt_project.manifest()["nodes"].values()
        if node["resource_type"] == "model"
    }
    assert models >= HANDED_OVER
