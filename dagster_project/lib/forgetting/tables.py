"""Rows and cells of a table that name somebody, and the SQL of the table without them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal, text_map
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.release.content import Column, columns_of

# As the neighbours write files: nothing is fetched, and rows keep their order.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "true",
    "threads": 1,
}


class Counts(NamedTuple):
    """Rows that went, and rows that stay with something taken out."""

    removed: int
    changed: int

    def __bool__(self) -> bool:
        return self.removed + self.changed > 0


@dataclass
class Edit:
    """What becomes of a table: conditions of rows that go, and new expressions of cells by column."""

    gone: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the table stays as it is."""
        return not (self.gone or self.cells)

    def set_where(self, condition: str, new: str, column: str) -> None:
        """A new value of the column in the rows of a condition; in the others what becomes of it anyway."""
        old = self.cells.get(column, identifier(column))
        self.cells[column] = f"case when coalesce({condition}, false) then {new} else {old} end"

    def select(self, columns: Iterable[str], relation: str) -> str:
        """The table as it is to be."""
        shown = ", ".join(
            f"{self.cells[name]} as {identifier(name)}" if name in self.cells else identifier(name)
            for name in columns
        )
        return f"select {shown} from {relation} where {self.kept()}"

    def counts(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Counts:
        """Rows that go, and rows that stay with another cell; rows whose cells are as they are to be are none."""
        if self.is_empty:
            return Counts(0, 0)
        other = " or ".join(
            f"{identifier(name)} is distinct from ({cell})" for name, cell in self.cells.items()
        )
        row = connection.execute(
            f"select count(*) filter (where not ({self.kept()})), "
            f"count(*) filter (where ({self.kept()}) and ({other or 'false'})) from {relation}"
        ).fetchone()
        assert row is not None
        return Counts(int(row[0]), int(row[1]))

    def kept(self) -> str:
        """The condition of the rows that stay."""
        return f"not coalesce({' or '.join(self.gone)}, false)" if self.gone else "true"


def parquet(path: Path, *, numbered: bool = False) -> str:
    """The relation of a Parquet file."""
    return f"read_parquet({literal(path)}{', file_row_number = true' if numbered else ''})"


def is_text(column: Column) -> bool:
    """Whether the column holds texts."""
    return column[1] == "VARCHAR"


def fitting(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    test: Callable[[str], bool],
    *,
    where: str = "true",
) -> list[str]:
    """The distinct texts of a column that pass the test."""
    name = identifier(column)
    found = connection.execute(
        f"select distinct {name}::varchar from {relation} where {name} is not null and {where}"
    ).fetchall()
    return sorted(text for (text,) in found if test(text))


def is_one_of(column: str, texts: Collection[str]) -> str:
    """The condition that a column has one of these values."""
    return f"{identifier(column)}::varchar in ({', '.join(map(literal, sorted(texts)))})"


def only_numbers(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    matcher: Matcher,
    *,
    phone: str = "phone",
    country: str = "",
) -> list[str]:
    """The condition of contacts without an address whose number only somebody forgotten had; none where none is.

    A row with an address is somebody by it: numbers are handed on.
    """
    if not matcher.has("phone"):
        return []
    of_country = f"coalesce({identifier(country)}, '')" if country else "''"
    pair = f"({identifier(phone)}, {of_country})"
    found = connection.execute(
        f"select distinct {identifier(phone)}, {of_country} from {relation} "
        f"where email is null and {identifier(phone)} is not null"
    ).fetchall()
    theirs = [f"({literal(a)}, {literal(b)})" for a, b in found if matcher.phone(a, b)]
    return [f"email is null and {pair} in ({', '.join(theirs)})"] if theirs else []


def text_cells(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    matcher: Matcher,
    *,
    but: Collection[str] = (),
    columns: Iterable[Column] | None = None,
    with_digests: bool = True,
) -> dict[str, str]:
    """Expressions of the columns in which a text names somebody: the name is taken out of it."""
    looks = {}
    for column in columns or columns_of(connection, relation):
        if is_text(column) and column[0] not in but:
            name = identifier(column[0])
            looks[column[0]] = f"contains({name}, '@')"
            if with_digests and matcher.has("digest"):
                looks[column[0]] += f" or regexp_matches({name}, '[0-9A-Fa-f]{{32}}')"
    if not looks:
        return {}
    # all columns are asked at once: few hold such a text, and each question opens the file anew
    asked = ", ".join(f"bool_or({condition})" for condition in looks.values())
    answers = connection.execute(f"select {asked} from {relation}").fetchone() or ()
    cells = {}
    for column_name in (name for name, answer in zip(looks, answers, strict=True) if answer):
        found = connection.execute(
            f"select distinct {identifier(column_name)} from {relation} where {looks[column_name]}"
        ).fetchall()
        if changes := matcher.changes(text for (text,) in found):
            cells[column_name] = changed(column_name, changes)
    return cells


def changed(column: str, changes: Mapping[str, str]) -> str:
    """The column's value, or what is to stand in its place."""
    name = identifier(column)
    return (
        f"case when {is_one_of(column, changes)} then {text_map(changes)}[{name}] else {name} end"
    )


def row_count(connection: duckdb.DuckDBPyConnection, relation: str, where: str = "true") -> int:
    """Rows that fulfil a condition."""
    row = connection.execute(f"select count(*) from {relation} where {where}").fetchone()
    return int(row[0]) if row else 0
