"""Countries as people type them into a free field."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.dialect_sql import country_names, macros
from dagster_project.lib.extracts.values import MACROS
from dagster_project.lib.extracts.vocabulary import countries


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    for statement in (*MACROS, *macros(Dialect(), is_native=False)):
        made.execute(statement)
    return made


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("France", "FR"),
        ("fr", "FR"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("España", "ES"),
        ("Schweiz", "CH"),
        ("ÖSTERREICH", "AT"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("DEU", "DE"),
        ("Czech Republic", "CZ"),
        ("Narnia", "Narnia"),
        (None, None),
    ],
)
def test_a_country_is_known_by_its_usual_names(
    connection: duckdb.DuckDBPyConnection, typed: str | None, code: str | None
) -> None:
    assert connection.execute("select as_country(?::varchar)", [typed]).fetchone() == (code,)


def test_no_name_stands_for_a_code_of_another_country() -> None:
    known = {code.lower(): code for code in countries()}
    wrong = {n: c for n, c in country_names().items() if known.get(n, c) != c}
    assert wrong == {}
