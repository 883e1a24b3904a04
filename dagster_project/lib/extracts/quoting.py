"""Texts and names inside SQL: DuckDB takes no parameters in COPY and CREATE TYPE."""

from __future__ import annotations

from collections.abc import Mapping


def literal(text: object) -> str:
    """The text as a SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def text_map(words: Mapping[str, str]) -> str:
    """A SQL literal of a map from text to text."""
    return f"map {{{', '.join(f'{literal(key)}: {literal(word)}' for key, word in words.items())}}}"


def identifier(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
