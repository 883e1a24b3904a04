"""Destinations of audience files: what each accepts, read from `destinations.yml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_project.lib.yaml_files import read_mapping

RULES = Path(__file__).with_name("destinations.yml")


class AudienceError(ValueError):
    """Audience files cannot be made; the text names what is wrong and the remedy."""


class Destination(BaseModel):
    """One destination. The keys are explained at the top of `destinations.yml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    table: str
    members: str
    header: tuple[str, ...] = Field(min_length=1)
    audiences: tuple[str, ...] | None = None
    minimum_rows: int = Field(default=0, ge=0)
    maximum_rows: int | None = Field(default=None, ge=1)
    maximum_bytes: int | None = Field(default=None, ge=1)
    differences: Literal["row", "key"] | None = None
    delimiter: str = ","
    quoting: Literal["minimal", "all"] = "minimal"
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8"


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
