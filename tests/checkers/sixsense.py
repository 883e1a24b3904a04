"""`6sense`: name, country and domain of each account; 25,000 rows; no blank in the file's name."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading

HEADER = ["Account Name", "Country", "Domain"]


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [*table.problems, *reading.header_is(table, HEADER)]
    problems += reading.filled(table, HEADER) + reading.rows_once(table)
    problems += reading.matching(table, "Country", reading.COUNTRY)
    problems += reading.matching(table, "Domain", reading.DOMAIN)
    if any(character.isspace() for character in path.name):
        problems.append("a blank in the file's name")
    return problems + reading.at_most(path, table, rows=25_000)
