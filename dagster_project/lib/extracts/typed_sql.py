"""The one query that types a file, finds each row's first failure and says where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dagster_project.lib.extracts.entities import Column, Entity
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.extracts.values import Failure

# Codes are column index * 100 + rule index; a column has fewer rules than that.
_CODES_PER_COLUMN = 100


@dataclass(frozen=True)
class SourceColumn:
    """How one canonical column is taken from the source relation.

    Attributes:
        text: SQL over the source relation: trimmed text, or the native value.
        value: SQL over the alias of `text`: the typed value.
        raw: SQL over the source relation: the value as delivered, of any type.
        failures: predicates over the aliases of text and value.
    """

    column: Column
    text: str
    value: str
    raw: str
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class TypedQuery:
    """A query in the raw zone's schema, with failed rows marked.

    A failed row carries `<code>:<raw value>` in extra_columns, and minus its line number in
    line_number (-1 where `line` is not given); so a file without one is written in its final form.
    """

    sql: str
    rules: dict[int, tuple[str, str]] = field(default_factory=dict)


def text_alias(index: int) -> str:
    """Name of the text of the entity's column at this place."""
    return f"t{index}"


def value_alias(index: int) -> str:
    """Name of the typed value of the entity's column at this place."""
    return f"v{index}"


def typed_query(
    entity: Entity,
    columns: dict[str, SourceColumn],
    *,
    relation: str,
    line: str | None,
    extra: str | None,
    system: str,
    delivery_id: int,
    line_offset: int,
) -> TypedQuery:
    """Builds the query.

    Args:
        entity: whose schema the result has; columns that are not in `columns` are null.
        columns: canonical name -> how it is read.
        relation: the FROM clause.
        line: SQL of the physical line number, where the relation has one.
        extra: SQL of the JSON object of unknown columns, where there are any.
        system: source system.
        delivery_id: of the delivered file.
        line_offset: first row's line number.
    """
    order = {name: index for index, name in enumerate(entity.columns)}
    used = [(order[name], source) for name, source in columns.items()]
    failures = _numbered_failures(entity, columns)
    carried = [(source.raw, f"r{index}") for index, source in used]
    carried += [(sql, alias) for sql, alias in ((line, "l"), (extra, "x")) if sql]
    texts = [(source.text, text_alias(index)) for index, source in used]
    passed = [(alias, alias) for _, alias in carried]
    values = [(source.value, value_alias(index)) for index, source in used]
    kept = [(alias, alias) for _, alias in texts]
    code = " ".join(f"when {failure.predicate} then {number}" for number, _, failure in failures)
    code = f"case {code} end" if code else "null"
    shown = [(alias, alias) for _, alias in values]
    constants = (system, delivery_id, line_offset)
    final = _final(entity, columns, line=line, extra=extra, constants=constants)
    sql = (
        f"select {final}"
        f" from (select {_list([*shown, *passed, (code, 'code')])}"
        f" from (select {_list([*kept, *values, *passed])}"
        f" from (select {_list([*texts, *carried])} from {relation})))"
    )
    return TypedQuery(sql, {number: (name, failure.rule) for number, name, failure in failures})


def _final(
    entity: Entity,
    columns: dict[str, SourceColumn],
    *,
    line: str | None,
    extra: str | None,
    constants: tuple[str, int, int],
) -> str:
    system, delivery_id, line_offset = constants
    items = []
    raw = []
    for index, column in enumerate(entity.columns.values()):
        value = value_alias(index) if column.name in columns else "null"
        items.append(f"{value}::{column.duckdb_type} as {identifier(column.name)}")
        if column.name in columns:
            # cast here: of failed rows alone
            raw.append(f"when {index} then r{index}::varchar")
    raw_value = f"case code // {_CODES_PER_COLUMN} {' '.join(raw)} end"
    marked = f"code::varchar || ':' || coalesce({raw_value}, '')"
    good_extra = "x" if extra else "null"
    good_line, bad_line = ("l", "-l") if line else ("null", "-1")
    items += [
        f"case when code is not null then {marked} else {good_extra} end::varchar as extra_columns",
        f"{literal(system)}::varchar as source_system",
        f"{delivery_id}::bigint as delivery_id",
        f"case when code is null then {good_line} else {bad_line} end::bigint as line_number",
        f"{line_offset}::integer as line_offset",
    ]
    return ", ".join(items)


def _numbered_failures(
    entity: Entity, columns: dict[str, SourceColumn]
) -> list[tuple[int, str, Failure]]:
    numbered = []
    for index, name in enumerate(entity.columns):
        if name in columns:
            for rank, failure in enumerate(columns[name].failures):
                numbered.append((index * _CODES_PER_COLUMN + rank, name, failure))
    if entity.at_least_one_of:
        number = len(entity.columns) * _CODES_PER_COLUMN
        numbered.append((number, ", ".join(entity.at_least_one_of), _none_of(entity, columns)))
    return numbered


def _none_of(entity: Entity, columns: dict[str, SourceColumn]) -> Failure:
    aliases = [
        text_alias(index)
        for index, name in enumerate(entity.columns)
        if name in entity.at_least_one_of and name in columns
    ]
    return Failure(" and ".join(f"{alias} is null" for alias in aliases) or "true", "missing_value")


def _list(items: Sequence[tuple[str, str]]) -> str:
    return ", ".join(sql if sql == alias else f"{sql} as {alias}" for sql, alias in items)
