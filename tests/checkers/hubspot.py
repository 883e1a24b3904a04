"""`hubspot`: an import of companies by domain; an empty cell would leave the old value."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checkers import reading

NUMBER = re.compile(r"-?\d+(\.\d+)?")


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = list(table.problems)
    if table.header[:1] != ["Company domain name"]:
        problems.append("the first column is not Company domain name")
    problems += reading.matching(table, "Company domain name", reading.DOMAIN)
    problems += reading.unique(table, "Company domain name")
    problems += reading.filled(table, table.header) + reading.trimmed(table)
    if "#N/A" in {cell for row in table.rows for cell in row}:
        problems.append("#N/A, which HubSpot takes for a text")
    problems += reading.matching(table, "Tier Revenue", NUMBER)
    return problems + reading.at_most(path, table, rows=1_048_576, size=20_000_000)
