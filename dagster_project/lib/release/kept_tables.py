"""What a copy of the last release's database has already: slices of tables that did not change.

Of a table written by part, the rows of a closed month stay as they were. The copy loses what
changed and all other tables, and its free blocks take what is new. Rows must stay in key order, so
slices are kept from one place on as long as they follow each other in the new table too: the
oldest month may have left and the last ones may have changed; what changed in between is written
again with all that comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

import duckdb

from dagster_project.lib.extracts.quoting import identifier
from dagster_project.lib.release.content import columns_of
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parts import Slice, slices


class UnknownTablesError(Exception):
    """Somebody has put something else into the database; the text names it."""


def keep_tables(
    connection: duckdb.DuckDBPyConnection,
    marts: Sequence[Mart],
    *,
    sources: Mapping[str, str],
    parts: Mapping[str, Sequence[Slice]],
) -> dict[str, list[Slice]]:
    """Removes from the attached database `release` all but the rows that are right.

    Args:
        connection: to which the copy is attached.
        marts: all that the new release has.
        sources: where each mart's new rows are, a relation in SQL by name.
        parts: the new slices of each mart that is written by part.

    Returns:
        For each table that stays, the slices that it lacks, to be appended in order.

    Raises:
        UnknownTablesError: the database holds what no release has.
    """
    known = {mart.name: mart for mart in marts}
    _refuse_others(connection, known)
    absent: dict[str, list[Slice]] = {}
    connection.execute("begin")
    for name in _tables(connection):
        table = f"release.main.{identifier(name)}"
        wanted = list(parts.get(name, ()))
        columns = columns_of(connection, table)
        is_alike = bool(wanted) and columns == columns_of(connection, sources[name])
        found = slices(connection, table, known[name].parts, columns) if is_alike else []
        first, kept = _common(found, wanted)
        if not kept:
            connection.execute(f"drop table {table}")
            continue
        gone = found[:first] + found[first + kept :]
        if gone:
            conditions = " or ".join(one.condition for one in gone)
            connection.execute(f"delete from {table} where {conditions}")
        absent[name] = wanted[kept:]
    connection.execute("commit")
    # Only a checkpoint makes the room of what was removed free for what comes.
    connection.execute("checkpoint release")
    return absent


def _common(found: Sequence[Slice], wanted: Sequence[Slice]) -> tuple[int, int]:
    """Where in `found` the first slices of `wanted` are, and how many of them follow each other."""
    if not wanted or wanted[0] not in found:
        return 0, 0
    first = list(found).index(wanted[0])
    pairs = zip(found[first:], wanted, strict=False)
    return first, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'release' order by all"
    ).fetchall()
    return [str(name) for (name,) in rows]


def _refuse_others(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Mart]) -> None:
    views = connection.execute(
        "select view_name from duckdb_views() where database_name = 'release' and not internal"
    ).fetchall()
    others = [name for name in _tables(connection) if name not in known]
    if views or others:
        named = ", ".join([*others, *(str(name) for (name,) in views)])
        raise UnknownTablesError(f"it holds {named}, which no release has")
