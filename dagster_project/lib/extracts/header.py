"""The header of an extract, matched with the columns of its entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.lib.extracts.entities import Entity
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.limits import MAX_COLUMNS


@dataclass(frozen=True)
class Header:
    """Where each column stands in the file.

    Attributes:
        width: number of columns of the file.
        positions: canonical column name -> position in the file, from 0.
        extra: (name, position) of the columns that the entity does not know.
        absent: canonical columns that the file does not have.
    """

    width: int
    positions: dict[str, int]
    extra: tuple[tuple[str, int], ...]
    absent: tuple[str, ...]


def match_header(names: Sequence[str], entity: Entity, *, file: str) -> Header:
    """Matches names without regard to case and surrounding white space.

    Raises:
        ExtractError: too many columns, a name twice, no known name, a required column missing.
    """
    cleaned = [name.strip().strip("\ufeff").strip() for name in names]
    lowered = [name.lower() for name in cleaned]
    _refuse_odd_headers(lowered, file)
    positions = {name: lowered.index(name) for name in entity.columns if name in lowered}
    if not positions:
        raise _unknown_language(names, entity, file)
    for column in entity.columns.values():
        if column.required and column.name not in positions:
            raise ExtractError(
                file,
                "the required column is missing; nothing of this file is loaded",
                column=column.name,
                remedy=f"Add the column {column.name} to the export and deliver the file again.",
            )
    taken = set(positions.values())
    extra = tuple(
        (name or f"column_{position + 1}", position)
        for position, name in enumerate(cleaned)
        if position not in taken
    )
    absent = tuple(name for name in entity.columns if name not in positions)
    return Header(width=len(names), positions=positions, extra=extra, absent=absent)


def _refuse_odd_headers(lowered: list[str], file: str) -> None:
    if len(lowered) > MAX_COLUMNS:
        raise ExtractError(
            file,
            f"the header has {len(lowered)} columns, the limit is {MAX_COLUMNS}",
            remedy="Export only the columns that the entity needs.",
        )
    twice = [name for name, count in Counter(lowered).items() if name and count > 1]
    if twice:
        raise ExtractError(
            file,
            "the header names this column more than once",
            column=twice[0],
            remedy="Rename or remove one of the two: which one counts cannot be guessed.",
        )


def _unknown_language(names: Sequence[str], entity: Entity, file: str) -> ExtractError:
    wanted = ", ".join(column.name for column in entity.columns.values() if column.required)
    hint = ""
    if len(names) == 1:
        found = [
            name
            for sign, name in ((";", "semicolon"), ("\t", "tab"), ("|", "bar"))
            if sign in names[0]
        ]
        hint = (
            f" The line seems to be separated by {found[0]}s; the profile reads commas."
            if found
            else ""
        )
    return ExtractError(
        file,
        f"the header is in no known language: none of its {len(names)} names"
        f" is a column of {entity.name}",
        remedy=f"The first line must hold the column names, {wanted} among them.{hint}",
    )
