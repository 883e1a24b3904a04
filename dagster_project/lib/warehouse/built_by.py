"""Which version of the dbt project built what the warehouse keeps: another one builds it anew."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.warehouse.dbt_project import project_hash

SUFFIX = ".built_by"


def is_of_this_project(warehouse: Path) -> bool:
    """Whether the last whole build of this warehouse file was made by the project as it is now."""
    kept = _record_of(warehouse)
    return warehouse.is_file() and kept.is_file() and kept.read_text() == project_hash()


def forget(warehouse: Path) -> None:
    """Before a build from nothing: until it is whole, nothing counts as kept."""
    _record_of(warehouse).unlink(missing_ok=True)


def record(warehouse: Path) -> None:
    """After every model was built."""
    _record_of(warehouse).write_text(project_hash())


def _record_of(warehouse: Path) -> Path:
    """Beside the file, one for each: Spark's views and DuckDB's tables lie in two files of one folder."""
    return warehouse.with_suffix(SUFFIX)
