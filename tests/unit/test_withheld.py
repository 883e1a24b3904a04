"""What of a rejected row is published: never what may be about a person."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.warehouse.raw_zone import published_raw_value

WITHHELD = "(withheld: personal data)"


def published(entity: str, column: str | None, value: str | None, line: str | None) -> str | None:
    with duckdb.connect() as connection:
        row = connection.execute(
            f"select {published_raw_value('r')} from (select ?::varchar as entity, "
            "?::varchar as column_name, ?::varchar as raw_value, ?::varchar as raw_line) as r",
            [entity, column, value, line],
        ).fetchone()
    assert row is not None
    return row[0]


PERSONAL = [
    (entity.name, column.name)
    for entity in load_entities().values()
    for column in entity.columns.values()
    if column.personal
]


@pytest.mark.parametrize(("entity", "column"), PERSONAL)
def test_personal_columns_are_withheld(entity: str, column: str) -> None:
    assert published(entity, column, "Ann Alder", None) == WITHHELD


def test_what_identifies_people_is_marked_as_personal() -> None:
    assert {
        ("contacts", "email"),
        ("contacts", "phone"),
        ("contacts", "first_name"),
        ("contacts", "last_name"),
        ("users", "email"),
        ("users", "user_name"),
        ("suppressions", "email"),
        ("suppressions", "email_sha256"),
    } <= set(PERSONAL)


@pytest.mark.parametrize(
    ("entity", "column"),
    [("contacts", "account_id"), ("suppressions", "domain"), ("accounts", "website")],
)
def test_address_in_another_column_is_withheld(entity: str, column: str) -> None:
    assert published(entity, column, "ann@example.com", None) == WITHHELD
    assert published(entity, column, "Deutschland", None) == "Deutschland"


def test_whole_lines_are_shown_of_figures_only() -> None:
    assert published("contacts", None, None, "P1;Ann;Alder") == WITHHELD
    assert published("no_such_entity", "x", "Ann", None) == WITHHELD
    assert published("invoice_lines", None, None, "I1;L1;C1") == "I1;L1;C1"
    assert published("contacts", "account_id", None, None) is None
