"""Which version of the dbt project built what the warehouse keeps: another one builds it anew."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.warehouse.dbt_project import models_hash, project_hash

SUFFIX = ".built_by"


def is_of_this_project(warehouse: Path) -> bool:
    """Whether the last whole build of this warehouse file was made by the project as it is now."""
    kept = _record_of(warehouse)
    return (
        warehouse.is_file() and kept.is_file() and kept.read_text().split()[:1] == [project_hash()]
    )


def is_of_these_models(warehouse: Path) -> bool:
    """The same, where only the rows of seeds may have changed since."""
    kept = _record_of(warehouse)
    if not (warehouse.is_file() and kept.is_file()):
        return False
    hashes = kept.read_text().split()
    return project_hash() in hashes or models_hash() in hashes[1:]


def forget(warehouse: Path) -> None:
    """Before a build from nothing: until it is whole, nothing counts as kept."""
    _record_of(warehouse).unlink(missing_ok=True)


def record(warehouse: Path) -> None:
    """After every model was built."""
    _record_of(warehouse).write_text(f"{project_hash()}\n{models_hash()}\n")


def _record_of(warehouse: Path) -> Path:
    """Beside the file, one for each: Spark's views and DuckDB's tables lie in two files of one folder."""
    return warehouse.with_suffix(SUFFIX)
