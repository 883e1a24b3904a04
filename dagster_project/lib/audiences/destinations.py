"""Destinations of audience files: what each accepts, read from `destinations.yml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dagster_project.lib.yaml_files import read_mapping

RULES = Path(__file__).with_name("destinations.yml")

Kind = Literal["full", "add", "remove", "upsert"]


class AudienceError(ValueError):
    """Audience files cannot be made; the text names what is wrong and the remedy."""


class Destination(BaseModel):
    """One destination. The keys are explained at the top of `destinations.yml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    table: str
    members: str
    key: str = "account_key"
    header: tuple[str, ...] = Field(min_length=1)
    read_from: dict[str, str] = {}
    filled: dict[str, str] = {}
    new_list: str | None = None
    list_ids: dict[str, int] = {}
    leading_rows: tuple[tuple[str, ...], ...] = ()
    actions: dict[Kind | Literal["more"], str] = {}
    audiences: tuple[str, ...] | None = None
    minimum_rows: int = Field(default=0, ge=0)
    maximum_rows: int | None = Field(default=None, ge=1)
    maximum_bytes: int | None = Field(default=None, ge=1)
    differences: Literal["row", "key", "changed"]
    not_compared: tuple[str, ...] = ()
    identified_by: tuple[tuple[str, ...], ...] = ()
    cleared: str | None = None
    cleared_cells: dict[str, str] = {}
    kept_when_cleared: tuple[str, ...] = ()
    held: str | None = None
    note: str | None = None
    delimiter: str = ","
    quoting: Literal["minimal", "all"] = "minimal"
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8"
    line_end: Literal["crlf", "lf"] = "crlf"

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        named = {*self.filled, *self.read_from}
        if unknown := sorted(named - set(self.header)):
            raise ValueError(f"destination {self.name}: {unknown[0]} is no column of its header")
        compared = {*self.not_compared, *self.kept_when_cleared, *self.cleared_cells}
        compared |= {name for names in self.identified_by for name in names}
        if unknown := sorted(compared - set(self.columns)):
            raise ValueError(f"destination {self.name}: {unknown[0]} is no column of its table")
        if any(len(row) != len(self.header) for row in self.leading_rows):
            raise ValueError(f"destination {self.name}: a leading row is not as long as the header")
        if self.differences == "changed" and self.cleared is None:
            raise ValueError(f"destination {self.name}: cleared is missing; say what clears a cell")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table, in the order of the header's cells that are not filled."""
        return tuple(
            self.read_from.get(name, name) for name in self.header if name not in self.filled
        )

    def cleared_cell(self, column: str) -> str:
        """What a column says in a row that clears what an upsert wrote."""
        return self.cleared_cells.get(column, self.cleared or "")

    def list_id(self, audience: str) -> str | None:
        """What {list} says; None where only a whole list can be written, as the list's Id is not known."""
        if self.new_list is None:
            return ""
        known = self.list_ids.get(audience)
        return None if known is None else str(known)

    def action(self, kind: Kind, part: int) -> str:
        """The destination's word for what a file does; `part` counts from 1."""
        more = self.actions.get("more") if kind == "full" and part > 1 else None
        return more if more is not None else self.actions.get(kind, "")


@cache
def load_destinations() -> dict[str, Destination]:
    """All destinations by name, in the order of the file."""
    return {
        name: Destination.model_validate({"name": name, **rules})
        for name, rules in read_mapping(RULES).items()
    }


def chosen_destinations(names: tuple[str, ...] = ()) -> tuple[Destination, ...]:
    """The destinations named, or all.

    Raises:
        AudienceError: a name that no destination has.
    """
    known = load_destinations()
    if unknown := [name for name in names if name not in known]:
        raise AudienceError(f"destination {unknown[0]}: not known; name one of {', '.join(known)}")
    return tuple(known[name] for name in names or known)


def with_minimums(
    destinations: Iterable[Destination], minimums: Mapping[str, int]
) -> tuple[Destination, ...]:
    """The destinations, with the rows that a company asks of a list in place of the destination's own."""
    return tuple(
        destination.model_copy(
            update={"minimum_rows": minimums.get(destination.name, destination.minimum_rows)}
        )
        for destination in destinations
    )


def with_list_ids(
    destinations: Iterable[Destination], list_ids: Mapping[str, Mapping[str, int]]
) -> tuple[Destination, ...]:
    """The destinations, with the Ids that they gave a company's lists, by audience."""
    return tuple(
        destination.model_copy(update={"list_ids": dict(list_ids.get(destination.name, {}))})
        for destination in destinations
    )


def checked_list_ids(list_ids: Mapping[str, Mapping[str, int]]) -> None:
    """Refuses Ids that no file would say.

    Raises:
        ValueError: a destination that is not known, or that names no list by an Id.
    """
    taking = [name for name, rules in load_destinations().items() if rules.new_list is not None]
    if wrong := [name for name in list_ids if name not in taking]:
        raise ValueError(f"{wrong[0]} takes no Ids of lists; name one of {', '.join(taking)}")
