"""`google_customer_match`: hashed e-mail, phone and names; country and zip as they are."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading

HEADER = ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]
HASHED = ["Email", "Phone", "First Name", "Last Name"]
ADDRESS = ["First Name", "Last Name", "Country", "Zip"]


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [*table.problems, *reading.header_is(table, HEADER)]
    problems += reading.hashed(table, HASHED) + reading.rows_once(table)
    problems += reading.matching(table, "Country", reading.COUNTRY)
    if any(reading.SHA256.fullmatch(cell) for cell in table.column("Zip")):
        problems.append("Zip: hashed, which Google does not match")
    for number, row in table.records():
        parts = [bool(row.get(name)) for name in ADDRESS]
        if any(parts) and not all(parts):
            problems.append(f"line {number}: a part of the address is missing")
        if not any(row.values()):
            problems.append(f"line {number}: nothing to match by")
    return problems
