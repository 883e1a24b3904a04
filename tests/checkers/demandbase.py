"""`demandbase`: account name, domain and external id; a domain stands once."""

from __future__ import annotations

from pathlib import Path

from tests.checkers import reading

FIRST = ["Account Name", "Account Domain", "External Account ID"]


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file."""
    table = reading.read(path)
    problems = list(table.problems)
    if table.header[:3] != FIRST:
        problems.append(f"header begins with {','.join(table.header[:3])}")
    problems += reading.filled(table, FIRST)
    problems += reading.unique(table, "Account Domain")
    problems += reading.unique(table, "External Account ID")
    return problems + reading.matching(table, "Account Domain", reading.DOMAIN)
