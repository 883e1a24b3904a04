"""Marts as tables of PostgreSQL: their types, what is there already, and loading a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.targets.errors import TargetError

# Rows that are in memory at once; a row of the widest mart has some 2 kB as text.
BATCH_ROWS = 20_000
# Names as PostgreSQL's own format_type writes them, so that they compare with what is there.
TYPES = {
    pa.string(): "text",
    pa.large_string(): "text",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp without time zone",
    pa.float64(): "double precision",
    pa.float32(): "real",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.int8(): "smallint",
}


@dataclass(frozen=True)
class Shape:
    """Columns with their types, in order, and the primary key."""

    columns: Mapping[str, str]
    key: tuple[str, ...]

    def is_wider(self, other: Shape) -> bool:
        """Whether a table of the other shape holds this one once columns are added."""
        return self.key == other.key and other.columns.items() < self.columns.items()

    def is_like(self, other: Shape) -> bool:
        """Whether it has the same columns, in whatever order."""
        return self.key == other.key and dict(self.columns) == dict(other.columns)


def shape_of(mart: str, key: Sequence[str], parquet: Path) -> Shape:
    """The shape that a mart is to have.

    Raises:
        TargetError: a column has a type that no column of a table has.
    """
    # pyarrow.parquet takes 0.2 s to import
    from pyarrow import parquet as files

    try:
        columns = {field.name: type_of(mart, field) for field in files.read_schema(parquet)}
    except (pa.ArrowException, OSError) as error:
        raise TargetError(
            f"postgres: {parquet} cannot be read ({str(error).splitlines()[0]}); refresh with --full"
        ) from None
    return Shape(columns, tuple(key))


def type_of(mart: str, field: pa.Field) -> str:
    """The column type of PostgreSQL for one of a mart's columns."""
    if pa.types.is_decimal(field.type):
        return f"numeric({field.type.precision},{field.type.scale})"
    if field.type not in TYPES:
        raise TargetError(
            f"postgres: {mart}.{field.name} is {field.type}, for which no type of PostgreSQL is set; "
            "cast it in the mart's model, or take the target out of the settings"
        )
    return TYPES[field.type]


def shapes_in(connection: Any, schema: str) -> dict[str, Shape]:
    """The shape of every table of the schema; views and other relations have no column here."""
    rows = connection.execute(
        "select class.relname, class.relkind, "
        "  coalesce((select array_agg(array[attname::text, format_type(atttypid, atttypmod)] order by attnum) "
        "    from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped), '{}'), "
        "  coalesce((select array_agg(attname::text order by place) from pg_index "
        "    cross join lateral unnest(indkey::int[]) with ordinality as keys (number, place) "
        "    join pg_attribute on attrelid = indrelid and attnum = number "
        "    where indrelid = class.oid and indisprimary), '{}') "
        "from pg_class as class join pg_namespace as space on space.oid = class.relnamespace "
        "where space.nspname = %s and class.relkind in ('r', 'p', 'v', 'm', 'f')",
        (schema,),
    ).fetchall()
    return {
        name: Shape(dict(columns) if _text(kind) == "r" else {}, tuple(key))
        for name, kind, columns, key in rows
    }


def load(
    connection: Any, *, schema: str, mart: str, shape: Shape, parquet: Path, is_logged: bool
) -> None:
    """Makes the table and fills it from the Parquet file, a batch of rows at a time.

    Rows are frozen: a transaction that began before them sees them, should the table be moved to
    where it looks.

    Raises:
        TargetError: the file is damaged, or holds what PostgreSQL has no room for.
    """
    import psycopg

    try:
        _load(
            connection, schema=schema, mart=mart, shape=shape, parquet=parquet, is_logged=is_logged
        )
    except (pa.ArrowException, OSError) as error:
        raise TargetError(
            f"postgres: {parquet} cannot be read ({str(error).splitlines()[0]}); refresh with --full"
        ) from None
    except psycopg.errors.DataError as error:
        # The server's words may hold a value, but not where it stands.
        raise TargetError(
            f"postgres: {mart} holds a value that PostgreSQL refuses ({error.diag.message_primary}; "
            f"{(error.diag.context or '').partition(':')[0]}); correct it in the extract"
        ) from None


def _load(
    connection: Any, *, schema: str, mart: str, shape: Shape, parquet: Path, is_logged: bool
) -> None:
    from psycopg import sql
    from pyarrow import csv
    from pyarrow import parquet as files

    table = sql.Identifier(schema, mart)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in shape.columns.items()
    )
    key = sql.SQL(", ").join(map(sql.Identifier, shape.key))
    # Null is nothing, and an empty text is "".
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    with connection.transaction():
        connection.execute(
            sql.SQL("create {} table {} ({})").format(
                sql.SQL("" if is_logged else "unlogged"), table, columns
            )
        )
        statement = sql.SQL("copy {} from stdin (format csv, freeze)").format(table)
        with connection.cursor().copy(statement) as copy, files.ParquetFile(parquet) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                sink = pa.BufferOutputStream()
                csv.write_csv(pa.Table.from_batches([batch]), sink, options)
                copy.write(sink.getvalue().to_pybytes())
        connection.execute(sql.SQL("alter table {} add primary key ({})").format(table, key))
        connection.execute(sql.SQL("analyze {}").format(table))


def comments_of(live: LiveRelease) -> dict[tuple[str, str], str]:
    """Descriptions by (mart, column), of the table itself with the column ''.

    They are read from the release's own database, so that they are those of the project that made it.
    """
    with duckdb.connect(str(live.database), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, '', comment from duckdb_tables() where comment is not null union all "
            "select table_name, column_name, comment from duckdb_columns() where comment is not null "
            "and database_name = current_database() and not internal"
        ).fetchall()
    return {(str(table), str(column)): str(comment) for table, column, comment in rows}


def write_comments(connection: Any, schema: str, comments: Mapping[tuple[str, str], str]) -> None:
    """Sets the comments that are not as they should be, of tables that are there."""
    from psycopg import sql

    rows = connection.execute(
        "select relname, coalesce(attname, ''), description "
        "from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "cross join lateral (select 0 as number, null::name as attname union all select attnum, attname "
        "  from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped) as parts "
        "left join pg_description on objoid = pg_class.oid and objsubid = number "
        "  and classoid = 'pg_class'::regclass "
        "where nspname = %s and relkind = 'r'",
        (schema,),
    ).fetchall()
    for table, column, found in rows:
        comment = comments.get((table, column))
        if comment is None or comment == found:
            continue
        what = sql.SQL("column" if column else "table")
        name = sql.Identifier(schema, table, column) if column else sql.Identifier(schema, table)
        connection.execute(
            sql.SQL("comment on {} {} is {}").format(what, name, sql.Literal(comment))
        )


def _text(kind: str | bytes) -> str:
    return kind.decode() if isinstance(kind, bytes) else kind
