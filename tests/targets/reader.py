"""A reader in a process of its own: `python reader.py KIND PLACE QUERIES STOP PAUSE`
looks at all marts until the file STOP is there, with so many seconds between two looks.

QUERIES is a file with a query for each mart: what tells its content of one release from that of another, as a text, and
how many rows say it; `{0}` stands for its table. One look is what they all find. It prints each look that differs
from those before, how many there were, and the slowest.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

Look = list[tuple[str, str, int]]  # mart, text, rows
Queries = Mapping[str, str]
SCHEMA = "account_tiering"


def by_pointer(place: str, queries: Queries) -> Callable[[], Look]:
    """`current.json` says which folder; its Parquet files are read one after the other."""

    def look() -> Look:
        current = json.loads(Path(place, "current.json").read_bytes())
        marts = Path(place, current["path"], "marts")
        return [
            (mart, *row)
            for mart, query in queries.items()
            for row in duckdb.execute(query.format(f"'{marts}/{mart}.parquet'")).fetchall()
        ]

    return look


def by_database(place: str, queries: Queries) -> Callable[[], Look]:
    """`marts.duckdb` is opened at each look, and read mart by mart."""

    def look() -> Look:
        with duckdb.connect(place, read_only=True, config={"threads": 1}) as connection:
            return [
                (mart, *row)
                for mart, query in queries.items()
                for row in connection.execute(query.format(mart)).fetchall()
            ]

    return look


def by_statement(place: str, queries: Queries) -> Callable[[], Look]:
    """One statement over all marts."""
    import psycopg

    connection = psycopg.connect(place, autocommit=True)
    statement = " union all ".join(
        f"select '{mart}', found.* from ({query.format(f'{SCHEMA}.{mart}')}) as found"
        for mart, query in queries.items()
    )

    def look() -> Look:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]

    return look


def by_transaction(place: str, queries: Queries) -> Callable[[], Look]:
    """A statement for each mart, in one transaction of repeatable reads, as a report's many charts are."""
    import psycopg

    connection = psycopg.connect(place, autocommit=True)

    def look() -> Look:
        seen: Look = []
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            for mart, query in queries.items():
                statement = query.format(f"{SCHEMA}.{mart}")
                found = connection.execute(statement).fetchall()  # type: ignore[call-overload]
                seen.extend((mart, *row) for row in found)
                time.sleep(0.005)
        return seen

    return look


def main(kind: str, place: str, queries: str, stop: str, pause: str) -> None:
    """Looks until it is told to stop; once more after that."""
    ways = {
        "pointer": by_pointer,
        "database": by_database,
        "statement": by_statement,
        "transaction": by_transaction,
    }
    duckdb.execute("set threads = 1")
    look = ways[kind](place, json.loads(Path(queries).read_text()))
    seen: dict[str, None] = {}
    looks, slowest = 0, 0.0
    look()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        is_last = Path(stop).exists()
        started = time.monotonic()
        found = look()
        slowest, looks = max(slowest, time.monotonic() - started), looks + 1
        last = json.dumps(sorted(found))
        seen[last] = None
        if is_last:
            break
        time.sleep(float(pause))
    told = {"seen": list(map(json.loads, seen)), "last": json.loads(last)}
    sys.stdout.write(json.dumps({**told, "looks": looks, "slowest": slowest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
