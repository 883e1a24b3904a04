"""The canonical entities, read from entities.yml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

ColumnType = Literal[
    "id",
    "text",
    "amount",
    "quantity",
    "rate",
    "share",
    "integer",
    "date",
    "timestamp",
    "boolean",
    "currency",
    "country",
    "document_type",
    "words",
]

DUCKDB_TYPES: dict[str, str] = {
    "amount": "DECIMAL(18,4)",
    "quantity": "DECIMAL(18,6)",
    "rate": "DECIMAL(19,10)",
    "share": "DECIMAL(9,6)",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


class Column(BaseModel):
    """One canonical column; `words` is empty unless the type is `words`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: ColumnType
    required: bool = False
    personal: bool = False
    words: tuple[str, ...] = ()

    @property
    def duckdb_type(self) -> str:
        """The type of the column in the raw zone; all texts are VARCHAR."""
        return DUCKDB_TYPES.get(self.type, "VARCHAR")


class Entity(BaseModel):
    """One canonical entity; `columns` is in the order of the raw zone's files.

    An empty `key` says that the whole row is the key. `at_least_one_of` names
    columns of which a row must have one; `dated_by` is the date whose months are counted as a file is landed.
    `measured_by` names the amount and its currency: with the date they place a rejected row in a month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    domain: Literal["crm", "erp", "governance"]
    key: tuple[str, ...]
    version: str | None = None
    at_least_one_of: tuple[str, ...] = ()
    dated_by: str | None = None
    measured_by: tuple[str, str] | None = None
    columns: dict[str, Column]


@cache
def load_entities() -> dict[str, Entity]:
    """All entities by name, in the order of entities.yml."""
    text = (Path(__file__).parent / "entities.yml").read_text(encoding="utf-8")
    return {name: _entity(name, body) for name, body in yaml.safe_load(text).items()}


def _entity(name: str, body: dict[str, Any]) -> Entity:
    columns = {column: _column(column, spec) for column, spec in body["columns"].items()}
    return Entity.model_validate({**body, "name": name, "columns": columns})


def _column(name: str, spec: dict[str, Any]) -> Column:
    kind = spec["type"]
    if isinstance(kind, list):
        return Column.model_validate({**spec, "name": name, "type": "words", "words": kind})
    return Column.model_validate({**spec, "name": name})
