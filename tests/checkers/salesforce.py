"""`salesforce`: an upsert for the Bulk API; External ID first, `#N/A` instead of an empty cell."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checkers import reading

API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*(__c)?")
CUSTOM = re.compile(r".*__c")
DATE = re.compile(r"#N/A|\d{4}-\d{2}-\d{2}")
NUMBER = re.compile(r"#N/A|-?\d+(\.\d+)?")


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    # The Bulk API expects line feeds unless the job says otherwise.
    table = reading.read(path, line_ends=("\n",))
    problems = list(table.problems)
    if b"\r\n" in path.read_bytes():
        problems.append("lines end with CR LF")
    problems += [f"{name}: no API name" for name in table.header if not API_NAME.fullmatch(name)]
    if table.header and not CUSTOM.fullmatch(table.header[0]):
        problems.append("the first column is no External ID")
    problems += reading.filled(table, table.header) + reading.trimmed(table)
    problems += reading.at_most(path, table, size=100_000_000)
    if table.header:
        problems += reading.unique(table, table.header[0])
        if "#N/A" in table.column(table.header[0]):
            problems.append("an External ID is cleared")
    problems += reading.matching(table, "Tier_As_Of__c", DATE)
    for name in ("Tier_Revenue__c", "Tier_Gross_Margin__c"):
        problems += reading.matching(table, name, NUMBER)
    return problems
