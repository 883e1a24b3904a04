"""The marts in PostgreSQL: equal row by row, typed, described, readable by one role, whole at every moment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Timer
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow.parquet import write_table

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.marts import read_marts
from dagster_project.lib.targets import postgres, postgres_server
from dagster_project.lib.targets.errors import TargetError
from dagster_project.lib.targets.postgres import (
    Written,
    publish_to_postgres,
    release_in_postgres,
)
from dagster_project.lib.targets.postgres_server import connected, without_waiting
from dagster_project.lib.targets.postgres_tables import load, shape_of
from dagster_project.lib.warehouse.dbt_project import parsed_folder
from dagster_project.target_settings import PostgresTarget
from tests.pipeline.pipeline_runs import Refreshed
from tests.targets.releases import Releases
from tests.targets.servers import PASSWORD, Server

TARGET = PostgresTarget()
SCHEMA = TARGET.schema_name
CONTRACT_TYPES = {
    "string": "text",
    "boolean": "boolean",
    "bigint": "bigint",
    "integer": "integer",
    "int": "integer",
    "date": "date",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
}


def sent(live: LiveRelease, url: str, *, full: bool = False, **target: Any) -> Written:
    return publish_to_postgres(live, TARGET.model_copy(update=target), url, full=full)


def found(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]


@contextmanager
def user(server: Server, url: str, name: str, *does: str) -> Iterator[str]:
    """The URL for a user that was made by these statements, `{}` standing for its name."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create role {name} login password 'other'")  # type: ignore[call-overload]
        with psycopg.connect(url, autocommit=True) as inside:
            for statement in does:
                inside.execute(statement.format(name))  # type: ignore[call-overload]
        base = url.rpartition("/")[2]
        yield server.url(database=base, user=name, password="other")
        with psycopg.connect(url, autocommit=True) as inside:
            inside.execute(f"drop owned by {name} cascade")  # type: ignore[call-overload]
        connection.execute(f"drop role {name}")  # type: ignore[call-overload]


def assert_equal(live: LiveRelease, url: str) -> int:
    """Every mart row by row, and nothing but marts; how many rows were compared."""
    compared = 0
    for mart in live.manifest.marts:
        texts = {
            name
            for name, kind in found(
                url,
                "select column_name, data_type from information_schema.columns "
                "where table_schema = %s and table_name = %s",
                SCHEMA,
                mart.name,
            )
            if kind == "text"
        }
        key = ", ".join(
            f'"{column}" collate "C"' if column in texts else f'"{column}"' for column in mart.key
        )
        with duckdb.connect() as connection:
            reader = connection.execute(
                f"from '{live.mart(mart.name)}' order by {', '.join(mart.key)}"
            )
            names = [column[0] for column in reader.description]
            wanted = reader.fetchall()
        columns = ", ".join(f'"{name}"' for name in names)
        rows = found(url, f"select {columns} from {SCHEMA}.{mart.name} order by {key}")
        assert rows == wanted, mart.name
        compared += len(rows)
    tables = found(url, "select tablename from pg_tables where schemaname = %s", SCHEMA)
    marts = {mart.name for mart in live.manifest.marts}
    assert {name for (name,) in tables} == marts | {"release", "release_marts"}
    assert found(url, f"select release_id from {SCHEMA}.release") == [(live.release_id,)]
    assert not found(url, "select 1 from pg_namespace where nspname = %s", f"{SCHEMA}__next")
    return compared


def test_every_mart_is_there_row_by_row(golden: Refreshed, url: str) -> None:
    written = sent(golden.live, url)
    assert set(written.written) == {mart.name for mart in golden.live.manifest.marts}
    assert assert_equal(golden.live, url) == sum(mart.rows for mart in golden.live.manifest.marts)
    said = found(url, f"select as_of, policy_sha256, reporting_currency from {SCHEMA}.release")
    manifest = golden.live.manifest
    assert said == [(manifest.as_of, manifest.policy_sha256, "EUR")]
    assert release_in_postgres(TARGET, url) == golden.live.release_id


def test_columns_have_the_types_keys_and_comments_of_the_contracts(
    golden: Refreshed, url: str
) -> None:
    sent(golden.live, url)
    path = parsed_folder() / "manifest.json"
    nodes = json.loads(path.read_bytes())["nodes"].values()
    contracts = {node["name"]: node["columns"] for node in nodes}
    types = {
        (table, column): kind
        for table, column, kind in found(
            url,
            "select relname, attname, format_type(atttypid, atttypmod) from pg_attribute "
            "join pg_class on pg_class.oid = attrelid where relnamespace = %s::regnamespace "
            "and attnum > 0 and relkind = 'r'",
            SCHEMA,
        )
    }
    comments = {
        (table, column): comment
        for table, column, comment in found(
            url,
            "select relname, coalesce(attname, ''), description from pg_description "
            "join pg_class on pg_class.oid = objoid and classoid = 'pg_class'::regclass "
            "left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0 "
            "where relnamespace = %s::regnamespace",
            SCHEMA,
        )
    }
    checked = 0
    for mart in read_marts(path):
        assert comments[mart.name, ""] == mart.description
        for name, column in contracts[mart.name].items():
            wanted = column["data_type"].lower().replace(" ", "")
            decimal = re.fullmatch(r"(?:decimal|numeric)\((\d+),(\d+)\)", wanted)
            kind = f"numeric({decimal[1]},{decimal[2]})" if decimal else CONTRACT_TYPES[wanted]
            assert types[mart.name, name] == kind, (mart.name, name)
            assert comments[mart.name, name] == column["description"].strip()
            checked += 1
        key = found(
            url,
            "select array_agg(attname::text order by place) from pg_index "
            "cross join lateral unnest(indkey::int[]) with ordinality as k (number, place) "
            "join pg_attribute on attrelid = indrelid and attnum = number "
            "where indrelid = %s::regclass and indisprimary",
            f"{SCHEMA}.{mart.name}",
        )
        assert key == [(list(mart.key),)]
    assert checked > 300
    assert comments["release", "as_of"]


def test_reader_reads_and_does_nothing_else(golden: Refreshed, server: Server, url: str) -> None:
    sent(golden.live, url)
    with user(server, url, "bi_user", "grant kam_reader to {}") as as_reader:
        for mart in (*golden.live.manifest.marts,):
            assert found(as_reader, f"select count(*) from {SCHEMA}.{mart.name}") == [(mart.rows,)]
        assert found(as_reader, f"select release_id from {SCHEMA}.release")
        for statement in (
            f"delete from {SCHEMA}.account_tiers",
            f"update {SCHEMA}.account_tiers set final_tier = 'A'",
            f"insert into {SCHEMA}.release_marts values ('x', 'y', 1, 'z')",
            f"truncate {SCHEMA}.account_tiers",
            f"create table {SCHEMA}.mine (a int)",
            f"drop table {SCHEMA}.account_tiers",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                found(as_reader, statement)


def test_the_next_release_writes_only_what_differs(
    golden: Refreshed, second_golden: Refreshed, url: str
) -> None:
    sent(golden.live, url)
    query = f"select account_key, xmin::text from {SCHEMA}.account_tiers"
    before = dict(found(url, query))
    written = sent(second_golden.live, url)
    assert_equal(second_golden.live, url)
    assert "account_tiers" in written.written
    assert written.unchanged
    after = dict(found(url, query))
    rows = {
        company: {row["account_key"]: row for row in company.rows("select * from account_tiers")}
        for company in (golden, second_golden)
    }
    same = {key for key, row in rows[golden].items() if rows[second_golden].get(key) == row}
    assert same and len(same) < len(after)
    assert {key for key in after if after[key] == before.get(key)} == same
    assert sent(second_golden.live, url).written == ()
    assert set(sent(second_golden.live, url, full=True).written) == {
        mart.name for mart in second_golden.live.manifest.marts
    }
    assert dict(found(url, query)) == after, "the same rows are not written again"


@pytest.mark.parametrize(
    "held",
    [f"update {SCHEMA}.account_tiers set final_tier = 'A'", f"lock table {SCHEMA}.release"],
    ids=["rows", "table"],
)
def test_a_transaction_that_holds_the_marts_is_told_and_not_waited_for_without_end(
    releases: Releases, url: str, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    first = releases.publish()
    sent(first, url)
    releases.change("update marts.account_tiers set final_tier = 'C'")
    second = releases.publish()
    monkeypatch.setattr(postgres_server, "LOCK_SECONDS", 1)
    with psycopg.connect(url) as other:
        other.execute(held)  # type: ignore[call-overload]
        # a statement that waits on is let go, so that the test fails instead of hanging
        freed = Timer(120, other.close)
        freed.start()
        with pytest.raises(TargetError, match="has held tables or rows of the schema for 1 s"):
            sent(second, url)
        freed.cancel()
        other.rollback()
    assert_equal(first, url)
    sent(second, url)
    assert_equal(second, url)


def test_a_lost_server_is_noticed_unless_the_url_says_otherwise(url: str) -> None:
    for suffix, idle in (("", "30"), ("?keepalives_idle=7", "7")):
        with connected(url + suffix, variable="URL") as connection:
            known = connection.info.get_parameters()
            assert known["keepalives_idle"] == idle
            assert known["tcp_user_timeout"] == "60000"
            assert connection.execute("show lock_timeout").fetchone() == ("1min",)
            without_waiting(connection, lambda: None)
            with connection.transaction():
                without_waiting(connection, lambda: None)
                assert connection.execute("show lock_timeout").fetchone() == ("1min",)


def test_what_breaks_off_in_the_middle_leaves_the_old_release(
    golden: Refreshed, second_golden: Refreshed, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(golden.live, url)
    with monkeypatch.context() as patch:

        def cut(connection: Any, *_: object, **__: object) -> None:
            connection.execute("select pg_terminate_backend(pg_backend_pid())")

        patch.setattr(postgres, "_tell", cut)
        with pytest.raises(TargetError, match="the next refresh tries again"):
            sent(second_golden.live, url)
    left = found(url, "select count(*) from pg_tables where schemaname = %s", f"{SCHEMA}__next")
    assert left[0][0] > 0, "what was loaded aside is still there"
    assert release_in_postgres(TARGET, url) == golden.live.release_id
    sent(second_golden.live, url)
    assert_equal(second_golden.live, url)


def test_damaged_file_changes_nothing(releases: Releases, url: str) -> None:
    first = releases.publish()
    sent(first, url)
    releases.change("update marts.account_tiers set final_tier = 'C'")
    second = releases.publish()
    path = second.mart("account_tiers")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TargetError, match=r"account_tiers.parquet cannot be read .*--full"):
        sent(second, url)
    assert release_in_postgres(TARGET, url) == first.release_id


def test_rows_that_are_fewer_than_the_manifest_says_change_nothing(
    releases: Releases, url: str
) -> None:
    first = releases.publish()
    sent(first, url)
    releases.change("update marts.account_tiers set final_tier = 'C'")
    second = releases.publish()
    duckdb.sql(
        f"copy (from '{second.mart('account_tiers')}' limit 3) to '{second.folder}/x.parquet'"
    )
    (second.folder / "x.parquet").rename(second.mart("account_tiers"))
    with pytest.raises(TargetError, match="would have 3 rows instead of 12"):
        sent(second, url)
    assert release_in_postgres(TARGET, url) == first.release_id
    tiers = found(url, f"select distinct final_tier from {SCHEMA}.account_tiers")
    assert len(tiers) > 1


def test_views_of_users_stay_and_stop_only_what_would_break_them(
    releases: Releases, url: str
) -> None:
    sent(releases.publish(), url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema bi")
        connection.execute(
            f"create view bi.tiers as select account_key, final_tier, revenue from {SCHEMA}.account_tiers"
        )
    releases.change(
        "update marts.account_tiers set final_tier = 'C'",
        "alter table marts.account_tiers add column colour string",
        "update marts.account_tiers set colour = 'red'",
    )
    wider = releases.publish()
    sent(wider, url)
    assert_equal(wider, url)
    assert found(url, "select distinct final_tier from bi.tiers") == [("C",)]

    releases.change("alter table marts.account_tiers alter revenue type double")
    other = releases.publish()
    with pytest.raises(TargetError, match=r"view bi.tiers depends on .*drop them, refresh"):
        sent(other, url)
    assert_equal(wider, url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop view bi.tiers")
    sent(other, url)
    assert_equal(other, url)


def test_marts_come_and_go_with_their_release(releases: Releases, url: str) -> None:
    sent(releases.publish(), url)
    fewer = tuple(mart for mart in releases.marts if mart.name != "tier_migration")
    without = releases.publish(marts=fewer)
    assert "tier_migration" in sent(without, url).written
    assert_equal(without, url)
    again = releases.publish()
    sent(again, url)
    assert_equal(again, url)


def test_another_key_or_type_makes_the_table_anew(releases: Releases, url: str) -> None:
    sent(releases.publish(), url)
    releases.change("alter table marts.account_tiers alter revenue type decimal(30, 4)")
    marts = tuple(
        replace(mart, key=mart.key[::-1]) if mart.name == "account_monthly" else mart
        for mart in releases.marts
    )
    assert marts != releases.marts
    second = releases.publish(marts=marts)
    assert {"account_tiers", "account_monthly"} <= set(sent(second, url).written)
    assert_equal(second, url)


TEXTS = (
    "",
    "\\.",
    "a\n\\.\nb",
    '"',
    '""',
    "a,b",
    "\r",
    "\r\n",
    "NULL",
    "\\N",
    " x ",
    "é",
    "e\u0301",
    "🏭",
    "'",
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(
            st.none()
            | st.sampled_from(TEXTS)
            | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
            st.none() | st.decimals(-(10**14) + 1, 10**14 - 1, places=4),
            st.none() | st.dates(),
            st.none() | st.datetimes(),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
            st.none() | st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=20,
    )
)
def test_every_value_arrives_as_it_was(
    server: Server, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    parquet = tmp_path_factory.mktemp("values") / "m.parquet"
    schema = pa.schema(
        {
            "id": pa.int32(), "text": pa.string(), "amount": pa.decimal128(18, 4), "day": pa.date32(),
            "moment": pa.timestamp("us"), "share": pa.float64(), "is_so": pa.bool_(), "number": pa.int64(),
        }
    )  # fmt: skip
    numbered = [(number, *row) for number, row in enumerate(rows)]
    columns = [
        pa.array([row[place] for row in numbered], field.type) for place, field in enumerate(schema)
    ]
    write_table(pa.table(columns, schema=schema), parquet)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("drop schema if exists v cascade")
        connection.execute("create schema v")
        shape = shape_of("m", ("id",), parquet)
        load(connection, schema="v", mart="m", shape=shape, parquet=parquet, is_logged=True)
        assert connection.execute("select * from v.m order by id").fetchall() == numbered


def test_value_that_postgresql_has_no_room_for_is_named_by_its_column(
    releases: Releases, url: str
) -> None:
    first = releases.publish()
    sent(first, url)
    releases.change("update marts.account_tiers set account_name = 'secret' || chr(0) || 'name'")
    with pytest.raises(
        TargetError, match="account_tiers holds a value that PostgreSQL refuses"
    ) as caught:
        sent(releases.publish(), url)
    assert "secret" not in str(caught.value)
    assert release_in_postgres(TARGET, url) == first.release_id


def test_type_without_its_like_is_refused_by_name(releases: Releases, url: str) -> None:
    releases.change("alter table marts.account_tiers add column tags varchar[]")
    with pytest.raises(TargetError, match=r"account_tiers\.tags is list.*cast it"):
        sent(releases.publish(), url)


def test_what_others_made_is_left_alone(golden: Refreshed, releases: Releases, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema account_tiering")
        connection.execute("create table account_tiering.their_own (a int)")
        with pytest.raises(TargetError, match="holds their_own, which no release wrote"):
            sent(golden.live, url)
        connection.execute("drop table account_tiering.their_own")
        connection.execute("create schema account_tiering__next")
        with pytest.raises(TargetError, match="account_tiering__next is there, which no release"):
            sent(golden.live, url)
        connection.execute("drop schema account_tiering__next")
        fewer = tuple(mart for mart in releases.marts if mart.name != "tier_migration")
        sent(releases.publish(marts=fewer), url)
        connection.execute("create table account_tiering.tier_migration (a int)")
        connection.execute("create table account_tiering.notes (a int)")
        with pytest.raises(TargetError, match=r"account_tiering\.tier_migration is there, and no"):
            sent(releases.publish(), url)
        connection.execute("drop table account_tiering.tier_migration")
        sent(releases.live, url)
        assert found(url, "select count(*) from account_tiering.notes") == [(0,)]


def test_two_runs_do_not_write_one_schema_at_once(
    golden: Refreshed, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = postgres._bring_in, []

    def meanwhile(*arguments: Any) -> None:
        with pytest.raises(TargetError, match="another run is writing the schema"):
            sent(golden.live, url)
        sent(golden.live, url, schema_name="another_schema")
        seen.append(1)
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(
            postgres, "_bring_in", lambda *a: meanwhile(*a) if a[1] == SCHEMA else real(*a)
        )
        sent(golden.live, url)
    assert seen == [1]
    assert_equal(golden.live, url)


def test_user_who_may_create_no_role_gets_the_marts_and_a_note(
    golden: Refreshed, server: Server, url: str
) -> None:
    base = url.rpartition("/")[2]
    with user(server, url, "loader", f"grant create on database {base} to {{}}") as as_loader:
        written = sent(golden.live, as_loader, reader_role="nobody_made_me")
        assert "create role nobody_made_me nologin" in written.notes[0]
        assert_equal(golden.live, as_loader)


def test_user_who_may_create_no_schema_is_told_what_is_needed(
    golden: Refreshed, server: Server, url: str
) -> None:
    with (
        user(server, url, "guest") as as_guest,
        pytest.raises(TargetError, match=r"permission denied .*needs CREATE on the database"),
    ):
        sent(golden.live, as_guest)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("", "KAM_POSTGRES_URL is not set"),
        (f"{PASSWORD} and more", "KAM_POSTGRES_URL is no URL"),
        ("postgresql://kam:{}@127.0.0.1:1/postgres", "no connection"),
        ("postgresql://stranger:{}@127.0.0.1:{port}/postgres", "no connection .*authentication"),
    ],
)
def test_no_message_tells_the_password(server: Server, bad: str, said: str) -> None:
    secret = "hunter2%2Fx"
    with pytest.raises(TargetError, match=said) as caught:
        release_in_postgres(TARGET, bad.replace("{}", secret).replace("{port}", str(server.port)))
    for word in (secret, "hunter2/x", PASSWORD):
        assert word not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
