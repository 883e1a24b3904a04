"""`generic`: RFC 4180, all columns, one row per account."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [*table.problems, *reading.unique(table, "account_key")]
    if len(set(table.header)) != len(table.header):
        problems.append("a column stands twice in the header")
    problems += reading.filled(table, ["account_key", "account_name", "final_tier"])
    return problems + reading.matching(table, "country_code", reading.COUNTRY)
