"""The Superset dashboard as files that Superset imports: database, datasets, charts, dashboard.

They lie in `superset/` as Superset itself exports them, so that what was changed in its user interface can be
exported over them. Only the address of the database is filled in here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ASSETS = Path(__file__).parent / "superset"
METADATA = "metadata.yaml"
DATABASE = "databases/account_tiering.yaml"
FOLDER = "account_tiering"
"""Superset expects everything in one folder of the archive, whatever its name."""


def duckdb_uri(database: Path) -> str:
    """SQLAlchemy's address of a DuckDB file."""
    return f"duckdb:///{database.resolve()}"


def read_assets() -> dict[str, dict[str, Any]]:
    """Every asset by its path under `superset/`."""
    return {
        path.relative_to(ASSETS).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(ASSETS.rglob("*.yaml"))
    }


def assets_for(uri: str, *, schema: str = "") -> dict[str, str]:
    """The assets' texts by path, reading their marts from this database.

    Args:
        uri: SQLAlchemy's address; one that is not DuckDB's gets no DuckDB argument.
        schema: where the marts lie, if it is not the database's own default schema.
    """
    assets = read_assets()
    assets[DATABASE]["sqlalchemy_uri"] = uri
    if not uri.startswith("duckdb:"):
        assets[DATABASE]["extra"].pop("engine_params")
    for path, asset in assets.items():
        if path.startswith("datasets/") and schema:
            asset["schema"] = schema
    return {path: _text(asset) for path, asset in assets.items()}


def write_bundle(target: Path, uri: str, *, schema: str = "") -> None:
    """Writes the archive for Superset's "Import dashboards"."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in assets_for(uri, schema=schema).items():
            archive.writestr(f"{FOLDER}/{path}", text)


def write_folder(target: Path, uri: str, *, schema: str = "") -> None:
    """Writes the same as files, of the type that overwrites everything it names."""
    for path, text in assets_for(uri, schema=schema).items():
        if path == METADATA:
            text = _text({**yaml.safe_load(text), "type": "assets"})
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")


def _text(asset: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(asset), sort_keys=False, allow_unicode=True)
