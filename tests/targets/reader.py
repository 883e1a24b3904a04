"""A reader in a process of its own: `python reader.py KIND PLACE STOP` looks at all marts until the file STOP is there.

Every mart of the tests' releases carries the release's number and as many rows as go with it, so one look is a list of
(mart, number, rows). It prints what it saw: whole looks, mixed ones, the slowest.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

Look = list[tuple[str, int, int]]
COUNTED = "select '{0}', release_number, count(*) from {1} group by release_number"


def by_pointer(place: str) -> Callable[[], Look]:
    """`current.json` says which folder; its Parquet files are read one after the other."""

    def look() -> Look:
        current = json.loads(Path(place, "current.json").read_bytes())
        files = sorted(Path(place, current["path"], "marts").glob("*.parquet"))
        return [
            row
            for file in files
            for row in duckdb.sql(COUNTED.format(file.stem, f"'{file}'")).fetchall()
        ]

    return look


def by_database(place: str) -> Callable[[], Look]:
    """`marts.duckdb` is opened at each look, and read mart by mart."""

    def look() -> Look:
        with duckdb.connect(place, read_only=True) as connection:
            marts = connection.execute("select table_name from duckdb_tables()").fetchall()
            return [
                row
                for (mart,) in marts
                for row in connection.execute(COUNTED.format(mart, mart)).fetchall()
            ]

    return look


def by_statement(place: str) -> Callable[[], Look]:
    """One statement over all marts."""
    import psycopg

    connection = psycopg.connect(place, autocommit=True)

    def look() -> Look:
        marts = _marts(connection.execute("select name from account_tiering.release_marts"))
        counted = (COUNTED.format(mart, f"account_tiering.{mart}") for mart in marts)
        return connection.execute(" union all ".join(counted)).fetchall()  # type: ignore[call-overload,no-any-return]

    return look


def by_transaction(place: str) -> Callable[[], Look]:
    """A statement for each mart, in one transaction of repeatable reads, as a report's many charts are."""
    import psycopg

    connection = psycopg.connect(place, autocommit=True)

    def look() -> Look:
        seen: Look = []
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            for mart in _marts(
                connection.execute("select name from account_tiering.release_marts")
            ):
                query = COUNTED.format(mart, f"account_tiering.{mart}")
                seen.extend(connection.execute(query).fetchall())  # type: ignore[call-overload]
                time.sleep(0.005)
        return seen

    return look


def _marts(rows: Iterable[tuple[str]]) -> list[str]:
    return sorted(name for (name,) in rows)


def main(kind: str, place: str, stop: str) -> None:
    """Looks until it is told to stop; once more after that."""
    ways = {
        "pointer": by_pointer,
        "database": by_database,
        "statement": by_statement,
        "transaction": by_transaction,
    }
    look = ways[kind](place)
    whole: dict[int, dict[str, int]] = {}
    mixed: list[Look] = []
    looks, slowest, marts = 0, 0.0, len(look())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        is_last = Path(stop).exists()
        started = time.monotonic()
        seen = look()
        slowest, looks = max(slowest, time.monotonic() - started), looks + 1
        numbers = {number for _, number, _ in seen}
        rows = {mart: count for mart, _, count in seen}
        # Each release has one row count per mart: other rows under the same number are a mix, too.
        if len(numbers) != 1 or len(rows) != marts or whole.setdefault(*numbers, rows) != rows:
            mixed.append(seen)
        if is_last:
            break
        time.sleep(0.1)
    told = {"whole": whole, "mixed": mixed[:2], "looks": looks, "slowest": slowest, "marts": marts}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
