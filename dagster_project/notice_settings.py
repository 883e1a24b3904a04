"""Who is told after a run and what: the section `notices` of the settings, `KAM_NOTICE_...` in the environment.

The addresses hold secrets (a webhook's path, a mail server's password), so they stand in no file: the variable
that `urls_variable` names holds them, as `apprise` writes them, separated by spaces, commas or new lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Section = Literal["moves", "at_risk", "failures"]
SECTIONS: tuple[Section, ...] = ("moves", "at_risk", "failures")
URLS_VARIABLE = "KAM_NOTICE_URLS"
VARIABLES = {
    "KAM_NOTICE_URLS_VARIABLE": "urls_variable",
    "KAM_NOTICE_LANGUAGE": "language",
    "KAM_NOTICE_ONLY": "only",
}
# a comma may stand inside an address (`?to=a,b`), so only one before the next scheme parts two
BETWEEN_ADDRESSES = re.compile(r"\s+|,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")


class NoticeSettings(BaseModel):
    """What a notice says, in which language; `only` names the sections that are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls_variable: str = URLS_VARIABLE
    language: Literal["en", "fr"] = "en"
    only: tuple[Section, ...] = Field(default=SECTIONS, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _holds_no_address(cls, values: object) -> object:
        """Refused before pydantic could show what was written."""
        if isinstance(values, str) or (isinstance(values, Mapping) and "urls" in values):
            raise ValueError(
                "addresses hold secrets and stand in no file; put them into the environment variable "
                f"{URLS_VARIABLE} and take them out here"
            )
        return values

    @field_validator("urls_variable", mode="before")
    @classmethod
    def _is_a_variable(cls, name: object) -> object:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(name)):
            raise ValueError(
                f"not the name of an environment variable; write one like {URLS_VARIABLE}, which holds "
                "the addresses"
            )
        return name

    @field_validator("only", mode="before")
    @classmethod
    def _is_a_list(cls, value: object) -> object:
        """A list, or words with commas as a variable holds them."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def is_asked_for(self) -> bool:
        """Whether the settings say that there are addresses: then their absence is worth a warning."""
        return bool(self.model_fields_set & {"urls_variable", "only"})

    def environment(self) -> dict[str, str]:
        """What was set, as variables that the settings of a run read; never the addresses."""
        said: Mapping[str, Any] = self.model_dump(exclude_unset=True)
        values = {name: said.get(field, "") for name, field in VARIABLES.items()}
        return {
            name: value if isinstance(value, str) else ",".join(value)
            for name, value in values.items()
        }


def addresses(text: str) -> list[str]:
    """The addresses in the variable's text, in their order."""
    return [part for part in BETWEEN_ADDRESSES.split(text.strip()) if part]
