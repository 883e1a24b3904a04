"""Which version of the dbt project built what the warehouse keeps: another one builds it anew."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.warehouse.dbt_project import project_hash

NAME = "built_by"


def is_of_this_project(warehouse: Path) -> bool:
    """Whether the last whole build of this warehouse file was made by the project as it is now."""
    record = warehouse.parent / NAME
    return warehouse.is_file() and record.is_file() and record.read_text() == project_hash()


def forget(warehouse: Path) -> None:
    """Before a build from nothing: until it is whole, nothing counts as kept."""
    (warehouse.parent / NAME).unlink(missing_ok=True)


def record(warehouse: Path) -> None:
    """After every model was built."""
    (warehouse.parent / NAME).write_text(project_hash())
