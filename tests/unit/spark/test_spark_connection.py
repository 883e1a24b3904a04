"""A Spark that would lose digits or hide an overflow computes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.lib.spark.connection import (
    EXACT,
    Answer,
    SparkConnection,
    SparkError,
    assert_exact,
)


class Cursor:
    """Stands in for dbt-spark's handle: answers `set <name>` from what it was given."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self.description: list[tuple[Any, ...]] = [("key",), ("value",)]
        self.asked = ""

    def cursor(self) -> Cursor:
        return self

    def execute(self, statement: str) -> None:
        self.asked = statement.removeprefix("set ")

    def fetchall(self) -> list[list[str]]:
        return [[self.asked, self.settings[self.asked]]]


def test_exact_session_is_taken() -> None:
    assert_exact(SparkConnection(Cursor(dict(EXACT))))


@pytest.mark.parametrize("name", EXACT)
def test_inexact_session_is_refused(name: str) -> None:
    wrong = "another"
    with pytest.raises(SparkError, match=f"Spark has {name}={wrong}; let it take {EXACT[name]}"):
        assert_exact(SparkConnection(Cursor(EXACT | {name: wrong})))


def test_answer_has_rows_as_tuples() -> None:
    answer: Answer = SparkConnection(Cursor({"a": "1"})).execute("set a")
    assert (answer.description, answer.fetchall()) == ([("key",), ("value",)], [("a", "1")])
