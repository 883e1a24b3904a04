"""The marts of a release as a schema of PostgreSQL, changed as a whole in one transaction.

    <schema>__next       what has to come in, loaded aside; swept by the next run if this one dies
    <schema>.<mart>      the marts; only rows that differ are written, so tables, views on them and grants stay
    <schema>.release     one row: which release this is
    <schema>.release_marts   name, key, rows and content hash of each mart

Readers take no notice: rows are replaced under PostgreSQL's own versions, without a lock that they would
wait for. A mart that is new, or whose columns changed their types, is moved in as a table within
the same transaction; that needs the tables for a moment, and gives way to readers until it gets them. A
transaction of repeatable reads that begins in that moment may see such a table beside old rows of others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.manifest import MartRecord
from dagster_project.lib.targets.errors import TargetError
from dagster_project.lib.targets.postgres_server import connected, take_turn, without_waiting
from dagster_project.lib.targets.postgres_tables import (
    Shape,
    comments_of,
    load,
    shape_of,
    shapes_in,
    write_comments,
)
from dagster_project.target_settings import PostgresTarget

NEXT = "__next"
RELEASE, MARTS = "release", "release_marts"
OURS = "A release that is being written; the next refresh removes it."
OWN_COMMENTS = {
    (RELEASE, ""): "The release that the marts of this schema are of; one row.",
    (RELEASE, "release_id"): "Sorts by time of publication.",
    (RELEASE, "as_of"): "The day that the figures are of: those of the months before it.",
    (RELEASE, "run_at"): "When the run that made the release began (UTC).",
    (RELEASE, "published_at"): "When the release arrived in this schema (UTC).",
    (RELEASE, "policy_sha256"): "Hash of the policy by which it was made.",
    (RELEASE, "reporting_currency"): "ISO 4217; amounts without another unit are in it.",
    (MARTS, ""): "The marts of this release, one row each.",
    (MARTS, "name"): "The mart's table.",
    (MARTS, "key"): "Its primary key, columns separated by commas.",
    (MARTS, "row_count"): "Rows.",
    (MARTS, "content_sha256"): "Hash of its content in key order, as in manifest.json.",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What a publication did: marts that were written and those that were as they should be.

    `notes` say what the user may want to do.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """What is to be done with each mart, by its shape here and there."""

    shapes: dict[str, Shape]
    added: tuple[str, ...]
    alike: tuple[str, ...]
    widened: dict[str, tuple[str, ...]]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def release_in_postgres(target: PostgresTarget, url: str) -> str | None:
    """The release that the schema holds, None before the first.

    Raises:
        TargetError: the server does not answer.
    """
    from dagster_project.lib.extracts.quoting import identifier

    relation = f"{identifier(target.schema_name)}.{RELEASE}"
    with connected(url, variable=target.url_variable) as connection:
        if connection.execute("select to_regclass(%s)", (relation,)).fetchone()[0] is None:
            return None
        row = connection.execute(f"select release_id from {relation}").fetchone()
        return str(row[0]) if row else None


def publish_to_postgres(
    live: LiveRelease, target: PostgresTarget, url: str, *, full: bool = False
) -> Written:
    """Brings the schema to the release, whole or not at all.

    Args:
        live: the release.
        target: schema and role.
        url: of the database, from the environment.
        full: compares every mart, also those whose content hash is known to be the same.

    Raises:
        TargetError: the schema is as it was; the text has the remedy.
    """
    schema = target.schema_name
    with connected(url, variable=target.url_variable) as connection:
        take_turn(connection, schema)
        _make_schemas(connection, schema)
        notes = _make_reader(connection, target.reader_role)
        try:
            plan = _plan(connection, schema, live, full=full)
            _write(connection, target, live, plan, is_granted=not notes)
        finally:
            # Of a connection that is lost the next run sweeps what is left.
            if not connection.closed:
                _drop_next(connection, schema)
    logger.info("postgres: schema %s has release %s", schema, live.release_id)
    written = (*plan.added, *plan.alike, *plan.widened, *plan.replaced, *plan.removed)
    return Written(tuple(sorted(written)), plan.unchanged, notes)


def _write(
    connection: Any, target: PostgresTarget, live: LiveRelease, plan: _Plan, *, is_granted: bool
) -> None:
    schema = target.schema_name
    _widen(connection, schema, plan)
    for name in (*plan.added, *plan.alike, *plan.widened, *plan.replaced):
        load(
            connection,
            schema=schema + NEXT,
            mart=name,
            shape=plan.shapes[name],
            parquet=live.mart(name),
            is_logged=name in plan.added or name in plan.replaced,
        )
    with connection.transaction():
        _bring_in(connection, schema, plan)
        _tell(connection, schema, live, counted=set(plan.shapes) - set(plan.unchanged))
        write_comments(connection, schema, {**comments_of(live), **OWN_COMMENTS})
        if target.reader_role is not None and is_granted:
            _grant(connection, schema, target.reader_role)


def _make_schemas(connection: Any, schema: str) -> None:
    """The schema with its two tables of its own, and an empty one beside it.

    Raises:
        TargetError: somebody else's things are there.
    """
    from psycopg import sql

    found = shapes_in(connection, schema)
    if found and MARTS not in found:
        raise TargetError(
            f"postgres: the schema {schema} holds {', '.join(sorted(found))}, which no release wrote; name "
            "another schema in targets.postgres.schema"
        )
    _drop_next(connection, schema)
    with connection.transaction():
        # Who may not create schemas can be given one.
        if not connection.execute(
            "select 1 from pg_namespace where nspname = %s", (schema,)
        ).fetchone():
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        connection.execute(
            sql.SQL(
                "create table if not exists {} (release_id text primary key, as_of date not null, "
                "run_at timestamp not null, published_at timestamp not null, policy_sha256 text not null, "
                "reporting_currency text not null)"
            ).format(sql.Identifier(schema, RELEASE))
        )
        connection.execute(
            sql.SQL(
                "create table if not exists {} (name text primary key, key text not null, "
                "row_count bigint not null, content_sha256 text not null)"
            ).format(sql.Identifier(schema, MARTS))
        )
        beside = sql.Identifier(schema + NEXT)
        connection.execute(sql.SQL("create schema {}").format(beside))
        connection.execute(sql.SQL("comment on schema {} is {}").format(beside, sql.Literal(OURS)))


def _drop_next(connection: Any, schema: str) -> None:
    from psycopg import sql

    row = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
        (schema + NEXT,),
    ).fetchone()
    if row is None:
        return
    if row[0] != OURS:
        raise TargetError(
            f"postgres: a schema {schema}{NEXT} is there, which no release wrote; name another schema in "
            "targets.postgres.schema"
        )
    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema + NEXT)))


def _make_reader(connection: Any, role: str | None) -> tuple[str, ...]:
    """Creates the role that may read, where that is allowed; else says what an administrator may do."""
    import psycopg
    from psycopg import sql

    if role is None:
        return ()
    if connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        return ()
    try:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        return (
            f"postgres: the role {role} is not there and may not be created: nobody was granted anything; "
            f"have an administrator run `create role {role} nologin`, and refresh with --full",
        )
    return ()


def _plan(connection: Any, schema: str, live: LiveRelease, *, full: bool) -> _Plan:
    from psycopg import sql

    there = shapes_in(connection, schema)
    known = dict(
        connection.execute(
            sql.SQL("select name, content_sha256 from {}").format(sql.Identifier(schema, MARTS))
        ).fetchall()
    )
    records = {record.name: record for record in live.manifest.marts}
    strangers = sorted((records.keys() & there.keys()) - known.keys())
    if strangers:
        raise TargetError(
            f"postgres: {schema}.{strangers[0]} is there, and no release wrote it; move it elsewhere, or "
            "name another schema in targets.postgres.schema"
        )
    shapes = {name: shape_of(name, mart.key, live.mart(name)) for name, mart in records.items()}
    present = {name: shape for name, shape in shapes.items() if name in there}
    alike = [name for name, shape in present.items() if shape.is_like(there[name])]
    unchanged = [name for name in alike if not full and known[name] == records[name].sha256]
    widened = {
        name: tuple(column for column in shape.columns if column not in there[name].columns)
        for name, shape in present.items()
        if shape.is_wider(there[name])
    }
    return _Plan(
        shapes=shapes,
        added=tuple(name for name in shapes if name not in there),
        alike=tuple(name for name in alike if name not in unchanged),
        widened=widened,
        replaced=tuple(name for name in present if name not in alike and name not in widened),
        removed=tuple(name for name in known if name not in records and name in there),
        unchanged=tuple(unchanged),
    )


def _widen(connection: Any, schema: str, plan: _Plan) -> None:
    """Adds columns that are new, empty until the release arrives: it takes each table for a moment only."""
    from psycopg import sql

    def add() -> None:
        for name, columns in plan.widened.items():
            added = sql.SQL(", ").join(
                sql.SQL("add column {} {}").format(
                    sql.Identifier(column), sql.SQL(plan.shapes[name].columns[column])
                )
                for column in columns
            )
            table = sql.Identifier(schema, name)
            connection.execute(sql.SQL("alter table {} {}").format(table, added))

    if plan.widened:
        without_waiting(connection, add)


def _bring_in(connection: Any, schema: str, plan: _Plan) -> None:
    """Within a transaction: differing rows, then whole tables, which need the others to be unread."""
    from psycopg import sql

    for name in (*plan.alike, *plan.widened):
        _write_differences(connection, schema, name, plan.shapes[name])
    gone = (*plan.replaced, *plan.removed)

    def move() -> None:
        if gone:
            # Who has read one table of the old release must not find another of the new one.
            kept = (*plan.alike, *plan.widened, *plan.unchanged, RELEASE, MARTS)
            tables = [sql.Identifier(schema, name) for name in sorted((*gone, *kept))]
            connection.execute(
                sql.SQL("lock table {} in access exclusive mode").format(sql.SQL(", ").join(tables))
            )
        for name in gone:
            _drop(connection, schema, name)
        for name in (*plan.added, *plan.replaced):
            connection.execute(
                sql.SQL("alter table {} set schema {}").format(
                    sql.Identifier(schema + NEXT, name), sql.Identifier(schema)
                )
            )

    without_waiting(connection, move)


def _write_differences(connection: Any, schema: str, name: str, shape: Shape) -> None:
    from psycopg import sql

    def each(names: Iterable[str], form: str, glue: str) -> Any:
        return sql.SQL(glue).join(sql.SQL(form).format(sql.Identifier(one)) for one in names)

    parts = {
        "old": sql.Identifier(schema, name),
        "new": sql.Identifier(schema + NEXT, name),
        "same_key": each(shape.key, "new.{0} = old.{0}", " and "),
        "olds": each(shape.columns, "old.{0}", ", "),
        "news": each(shape.columns, "new.{0}", ", "),
        "columns": each(shape.columns, "{0}", ", "),
    }
    connection.execute(
        sql.SQL(
            "delete from {old} as old where not exists (select from {new} as new where {same_key} "
            "and row({news}) is not distinct from row({olds}))"
        ).format(**parts)
    )
    connection.execute(
        sql.SQL(
            "insert into {old} ({columns}) select {news} from {new} as new where not exists "
            "(select from {old} as old where {same_key})"
        ).format(**parts)
    )


def _drop(connection: Any, schema: str, name: str) -> None:
    import psycopg
    from psycopg import sql

    try:
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, name)))
    except psycopg.errors.DependentObjectsStillExist as error:
        hanging = "; ".join(str(error.diag.message_detail).splitlines())
        raise TargetError(
            f"postgres: {schema}.{name} has other columns in this release, and other objects hang on it "
            f"({hanging}); drop them, refresh, and make them again"
        ) from None


def _tell(connection: Any, schema: str, live: LiveRelease, *, counted: set[str]) -> None:
    """Writes which release this is, once the rows that came in are as many as the manifest says."""
    from psycopg import sql

    manifest = live.manifest
    for mart in manifest.marts:
        if mart.name in counted:
            _count(connection, schema, mart)
    release, marts = sql.Identifier(schema, RELEASE), sql.Identifier(schema, MARTS)
    connection.execute(sql.SQL("delete from {}").format(release))
    connection.execute(
        sql.SQL("insert into {} values (%s, %s, %s, now() at time zone 'UTC', %s, %s)").format(
            release
        ),
        (
            manifest.release_id,
            manifest.as_of,
            manifest.run_at.replace(tzinfo=None),
            manifest.policy_sha256,
            manifest.reporting_currency,
        ),
    )
    connection.execute(sql.SQL("delete from {}").format(marts))
    connection.cursor().executemany(
        sql.SQL("insert into {} values (%s, %s, %s, %s)").format(marts),
        [(mart.name, ", ".join(mart.key), mart.rows, mart.sha256) for mart in manifest.marts],
    )


def _count(connection: Any, schema: str, mart: MartRecord) -> None:
    from psycopg import sql

    table = sql.Identifier(schema, mart.name)
    (rows,) = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    if rows != mart.rows:
        raise TargetError(
            f"postgres: {schema}.{mart.name} would have {rows} rows instead of {mart.rows}; nothing was "
            "changed: look whether its Parquet file is damaged, and refresh with --full"
        )


def _grant(connection: Any, schema: str, role: str) -> None:
    """Grants what is not granted yet, so that nothing is written where nothing changes."""
    from psycopg import sql

    reader = sql.Identifier(role)
    connection.execute(
        sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), reader)
    )
    rows = connection.execute(
        "select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = %s and relkind = 'r' and pg_get_userbyid(relowner) = current_user "
        "and not has_table_privilege(%s, pg_class.oid, 'select')",
        (schema, role),
    ).fetchall()
    for (name,) in rows:
        table = sql.Identifier(schema, name)
        connection.execute(sql.SQL("grant select on {} to {}").format(table, reader))
