"""Countries as people type them into a free field."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.lib.extracts.connection import connect
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.dialect_sql import country_names, macros
from dagster_project.lib.extracts.vocabulary import countries


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    made = connect(tmp_path_factory.mktemp("countries"), memory_limit="200MB", threads=1)
    for statement in macros(Dialect(), is_native=False):
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


def test_every_name_is_looked_up_as_its_own_code(connection: duckdb.DuckDBPyConnection) -> None:
    asked = "select as_country(unnest(?::varchar[]))"
    found = connection.execute(asked, [list(country_names())]).fetchall()
    assert [code for (code,) in found] == list(country_names().values())
