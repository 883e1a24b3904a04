"""The project's macros rendered to SQL without dbt, for one engine or the other: to be run on vectors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment

DEFINED = re.compile(r"{% macro (\w+)\(")
MACROS = Path(__file__).parents[2] / "dbt" / "macros"


class _Returned(Exception):  # noqa: N818
    """What `return()` gives back, as dbt has it."""


class _Adapter:
    """Stands in for dbt's `adapter`: finds the variant of the engine."""

    def __init__(self, engine: str, macros: dict[str, Any]) -> None:
        self._engine, self._macros = engine, macros

    def dispatch(self, name: str) -> Any:
        return self._macros[f"{self._engine}__{name}"]


def macros(engine: str, *names: str) -> dict[str, Any]:
    """The macros of the files named and what they need, as functions from SQL to SQL."""
    found: dict[str, Any] = {}

    def returning(macro: Any) -> Any:
        def called(*arguments: Any, **named: Any) -> str:
            try:
                return str(macro(*arguments, **named))
            except _Returned as returned:
                return str(returned.args[0])

        return called

    def give_back(value: Any) -> None:
        raise _Returned(value)

    def called_later(name: str) -> Any:
        return lambda *arguments, **named: found[name](*arguments, **named)

    sources = [(MACROS / f"{name}.sql").read_text(encoding="utf-8") for name in names]
    known = [name for source in sources for name in DEFINED.findall(source)]
    environment = Environment(extensions=["jinja2.ext.do"])
    environment.globals.update({"adapter": _Adapter(engine, found), "return": give_back})
    # a macro sees the others by their names, in whatever file
    environment.globals.update({name: called_later(name) for name in known})
    for source in sources:
        module = environment.from_string(source).module
        found.update(
            {name: returning(getattr(module, name)) for name in known if hasattr(module, name)}
        )
    return found


FORMS = (
    "blanks",
    "replace_matches",
    "composed_text",
    "sha256_hex",
    "tidy_text",
    "email_normalised",
    "email_of_google",
    "letters_only",
)
