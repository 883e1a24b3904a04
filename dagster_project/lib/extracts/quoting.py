"""Texts and names inside SQL: DuckDB takes no parameters in COPY and CREATE TYPE."""

from __future__ import annotations


def literal(text: object) -> str:
    """The text as a SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
