"""`linkedin_companies`: LinkedIn's company list template; 300 to 300,000 rows, 20 MB."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading

HEADER = (
    "companyname,companywebsite,companyemaildomain,linkedincompanypageurl,stocksymbol,industry,"
    "city,state,companycountry,zipcode"
).split(",")


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = [*table.problems, *reading.header_is(table, HEADER)]
    problems += reading.at_most(path, table, rows=300_000, size=20_000_000)
    problems += reading.at_least(len(table.rows), 300, kind)
    problems += reading.rows_once(table)
    for column in ("companywebsite", "companyemaildomain"):
        problems += reading.matching(table, column, reading.DOMAIN)
    problems += reading.matching(table, "companycountry", reading.COUNTRY)
    for number, row in table.records():
        page = row.get("linkedincompanypageurl", "")
        if page and "linkedin.com/company/" not in page.lower():
            problems.append(f"line {number}: the page is not a company's")
        if not any(row.get(name) for name in ("companyname", "companywebsite")):
            problems.append(f"line {number}: neither name nor website")
    return problems
