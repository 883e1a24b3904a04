"""`linkedin_contacts`: LinkedIn's contact list template; an e-mail or both names."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading

HEADER = "email,firstname,lastname,jobtitle,employeecompany,country,googleaid".split(",")
LONGEST_NAME = 35


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [*table.problems, *reading.header_is(table, HEADER)]
    problems += reading.at_most(path, table, rows=300_000, size=20_000_000)
    problems += reading.at_least(len(table.rows), 300, kind)
    problems += reading.rows_once(table) + reading.trimmed(table)
    problems += reading.matching(table, "email", reading.EMAIL)
    problems += reading.matching(table, "country", reading.COUNTRY)
    for number, row in table.records():
        names = [row.get("firstname", ""), row.get("lastname", "")]
        if not row.get("email") and not all(names):
            problems.append(f"line {number}: neither e-mail nor both names")
        if any(len(name) > LONGEST_NAME for name in names):
            problems.append(f"line {number}: a name of more than {LONGEST_NAME} characters")
    return problems
