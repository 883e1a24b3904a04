"""What may import what, read from the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "dagster_project"
HEAVY = ("dagster", "dbt", "pandas", "duckdb", "great_expectations", "pyarrow")
SECONDS = 60


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found
    return found


def imported(module: Path) -> Iterator[str]:
    """Full names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reads_environment(module: Path) -> bool:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names = {"environ", "getenv", "environb", "putenv"}
    attributes = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return any(name in names for name in attributes) or any(
        name in {f"os.{found}" for found in names} for name in imported(module)
    )


def test_lib_imports_no_dagster_and_nothing_of_the_graph() -> None:
    for module in modules(PACKAGE / "lib"):
        for name in imported(module):
            assert name.split(".")[0] not in ("dagster", "dagster_dbt"), f"{module} imports {name}"
            assert not name.startswith("dagster_project.defs"), f"{module} imports {name}"
            assert not name.startswith("dagster_project.commands"), f"{module} imports {name}"


def test_settings_is_the_only_reader_of_the_environment() -> None:
    readers = [module.name for module in modules(PACKAGE) if reads_environment(module)]
    assert readers == ["settings.py"]


def test_packages_hold_no_code() -> None:
    for module in PACKAGE.rglob("__init__.py"):
        assert module.read_bytes() == b"", module


def test_dbt_folder_is_no_package() -> None:
    assert not list((PACKAGE.parent / "dbt").rglob("__init__.py"))


@pytest.mark.parametrize("module", ["dagster_project.cli", "dagster_project.settings"])
def test_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([n for n in {HEAVY!r} if n in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert run.stdout.strip() == "[]"
