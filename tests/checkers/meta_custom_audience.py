"""`meta_custom_audience`: every identifier hashed; 100 people at least; value never below 0."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checkers import reading

IDENTIFIERS = ["email", "phone", "fn", "ln", "ct", "st", "zip", "country"]
VALUE = re.compile(r"[0-9]+(\.[0-9]+)?")


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [
        *table.problems,
        *reading.header_is(table, IDENTIFIERS, [*IDENTIFIERS, "value"]),
        *reading.hashed(table, IDENTIFIERS),
        *reading.at_least(len(table.rows), 100, kind),
        *reading.rows_once(table),
        *reading.matching(table, "value", VALUE),
    ]
    for number, row in table.records():
        if not any(row.get(name) for name in ("email", "phone")) and not all(
            row.get(name) for name in ("fn", "ln")
        ):
            problems.append(f"line {number}: neither e-mail nor phone nor both names")
    return problems
