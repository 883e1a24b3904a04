"""Which release each target has, beside the live one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

from dagster_project.lib.targets.errors import TargetError

if TYPE_CHECKING:
    from dagster_project.target_settings import TargetSettings


class TargetState(BaseModel):
    """One target; `release_id` is null before its first release, or where `problem` says why it is unknown."""

    name: str
    release_id: str | None = None
    is_behind: bool
    problem: str = ""

    def line(self) -> str:
        """For a person."""
        has = f"has release {self.release_id}" if self.release_id else "has no release yet"
        if self.problem:
            return f"target {self.name}: {self.problem}"
        if self.is_behind:
            return f"target {self.name}: behind, it {has}; kam refresh brings it up"
        return f"target {self.name}: {has}, the live one"


def target_states(
    targets: TargetSettings, *, live: str | None, environment: Mapping[str, str]
) -> list[TargetState]:
    """The state of each target that is set; asks each of them, some seconds where one does not answer.

    Args:
        targets: from the settings.
        live: id of the live release; None before the first.
        environment: where the database's URL stands.
    """
    return [_state(name, targets, live, environment) for name in targets.names]


def _state(
    name: str, targets: TargetSettings, live: str | None, environment: Mapping[str, str]
) -> TargetState:
    try:
        found = _release_at(name, targets, environment)
    except TargetError as error:
        return TargetState(name=name, is_behind=live is not None, problem=str(error))
    return TargetState(name=name, release_id=found, is_behind=live is not None and found != live)


def _release_at(name: str, targets: TargetSettings, environment: Mapping[str, str]) -> str | None:
    # Their libraries are imported where a target is set alone.
    if name == "postgres" and targets.postgres is not None:
        from dagster_project.lib.targets.postgres import release_in_postgres

        url = environment.get(targets.postgres.url_variable, "")
        return release_in_postgres(targets.postgres, url)
    assert targets.object_store is not None
    from dagster_project.lib.targets.object_store import release_in_object_store

    return release_in_object_store(targets.object_store)
