"""Where a release goes beside the published folder: the section `targets` of the settings.

Secrets stand in no file: the database's URL is read from the variable that `url_variable` names, and an
object store's library finds its credentials where it always does (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, ...).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

VARIABLE = "KAM_TARGETS"
SECRET = re.compile(
    r"^(key|pass|dsn)$|secret|token|passw|credential|account_key|access_key|sas|connection_string",
    re.IGNORECASE,
)
# PostgreSQL cuts names after 63 bytes, and the schema being written has a suffix.
NAME = r"^[a-z_][a-z0-9_]{0,50}$"


class PostgresTarget(BaseModel):
    """A schema of a PostgreSQL database, and the role that may read it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    # `schema` alone is a method of pydantic's models
    schema_name: Annotated[str, Field(alias="schema")] = "account_tiering"
    reader_role: str | None = "kam_reader"
    url_variable: str = "KAM_POSTGRES_URL"

    @model_validator(mode="before")
    @classmethod
    def _holds_no_secret(cls, value: object) -> object:
        if isinstance(value, Mapping):
            for name in value:
                if str(name) not in ("schema", "schema_name", "reader_role", "url_variable"):
                    raise ValueError(
                        f"{name} does not belong here; the keys are schema, reader_role and url_variable, and "
                        "the URL with its password stands in the environment (KAM_POSTGRES_URL)"
                    )
        return value

    @field_validator("schema_name", "reader_role")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None and (not re.fullmatch(NAME, name) or name.startswith("pg_")):
            raise ValueError(
                "not a plain name; write lower-case letters, digits and _, such as account_tiering"
            )
        return name

    @field_validator("schema_name")
    @classmethod
    def _is_of_its_own(cls, name: str) -> str:
        if name in ("public", "information_schema"):
            raise ValueError(f"{name} belongs to others; name a schema of its own")
        return name

    @field_validator("url_variable")
    @classmethod
    def _names_a_variable(cls, name: str) -> str:
        # What is not a name may be the URL itself: it is not repeated.
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            raise ValueError("not the name of a variable; write one like KAM_POSTGRES_URL")
        return name


class ObjectStoreTarget(BaseModel):
    """A place in an object store, by a URL that fsspec knows, and the options of its file system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _is_a_place(cls, url: str) -> str:
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query:
            raise ValueError(
                "credentials and parameters do not belong into the URL; write s3://bucket/prefix, and give "
                "credentials by the environment (AWS_ACCESS_KEY_ID, ...)"
            )
        if not parts.scheme or "::" in url:
            raise ValueError("not the URL of a place; write one like s3://bucket/prefix")
        return url.rstrip("/")

    @field_validator("options")
    @classmethod
    def _hold_no_secret(cls, options: dict[str, Any]) -> dict[str, Any]:
        for path, value in _leaves(options):
            is_url_with_user = isinstance(value, str) and "@" in urlsplit(value).netloc
            if any(SECRET.search(part) for part in path) or is_url_with_user:
                raise ValueError(
                    f"{'.'.join(path)} is a secret; take it out, and give it by the environment "
                    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ...)"
                )
        return options


class TargetSettings(BaseModel):
    """The targets that a release goes to; none by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    postgres: PostgresTarget | None = None
    object_store: ObjectStoreTarget | None = None

    @model_validator(mode="before")
    @classmethod
    def _reads_json(cls, value: object) -> object:
        """A mapping, or one as JSON, as the variable holds it; an empty section is one of defaults."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise ValueError('not JSON; write it like {"postgres": {}}') from None
        if isinstance(value, Mapping) and "postgres" in value and value["postgres"] is None:
            return {**value, "postgres": {}}
        return {} if value is None else value

    @property
    def names(self) -> tuple[str, ...]:
        """The targets that are set, in the order in which a release goes to them."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    def environment(self) -> dict[str, str]:
        """The settings as a variable, which the graph reads; there is no secret in it."""
        said = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.postgres is not None:
            said["postgres"]["reader_role"] = self.postgres.reader_role
        return {VARIABLE: json.dumps(said) if said else ""}


def _leaves(
    options: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in options.items():
        here = (*path, str(name))
        if isinstance(value, Mapping):
            yield here, None
            yield from _leaves(value, here)
        else:
            yield here, value
