"""Which marts are published, and what dbt says of them.

dbt's manifest is the only list: a model in `models/marts/` is published, its key is its
`config.meta.key`, its descriptions become the comments of the database that BI opens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "marts/"


class MartError(ValueError):
    """A mart cannot be published; the text names the mart and the remedy."""


@dataclass(frozen=True)
class Mart:
    """A published mart: its relation in the warehouse and its unique key, also its order."""

    name: str
    key: tuple[str, ...]
    schema: str = "marts"
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Description of each column that has one."""
    parts: str = ""
    """First column of the key, by whose values the mart is written; empty where it is whole."""


def read_marts(manifest: Path) -> tuple[Mart, ...]:
    """The marts of dbt's `manifest.json`, by name.

    Raises:
        MartError: the file is no manifest, it holds no mart, or a mart has no key.
    """
    try:
        nodes: dict[str, Any] = json.loads(manifest.read_bytes())["nodes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MartError(f"{manifest}: not a dbt manifest ({error}); run dbt parse") from None
    marts = [_mart(node) for node in nodes.values() if _is_mart(node)]
    if not marts:
        raise MartError(f"{manifest}: no model lies in models/{FOLDER}; run dbt parse again")
    return tuple(sorted(marts, key=lambda mart: mart.name))


def without(marts: Sequence[Mart], *names: str) -> tuple[Mart, ...]:
    """The marts but those named."""
    return tuple(mart for mart in marts if mart.name not in names)


def _is_mart(node: Mapping[str, Any]) -> bool:
    return node.get("resource_type") == "model" and str(node.get("path", "")).startswith(FOLDER)


def _mart(node: Mapping[str, Any]) -> Mart:
    name = str(node.get("alias") or node["name"])
    key = node.get("config", {}).get("meta", {}).get("key") or []
    if isinstance(key, str):
        key = [key]
    if not key:
        raise MartError(
            f"mart {name}: no key; add `config: {{meta: {{key: [...]}}}}` beside its description"
        )
    parts = str(node["config"]["meta"].get("parts") or "")
    if parts and parts != key[0]:
        raise MartError(
            f"mart {name}: meta.parts {parts} is not the first column of its key; write "
            f"`key: [{parts}, ...]`, or leave parts out"
        )
    described = {
        column: str(found["description"]).strip()
        for column, found in node.get("columns", {}).items()
        if found.get("description")
    }
    return Mart(
        name=name,
        key=tuple(str(column) for column in key),
        schema=str(node["schema"]),
        description=str(node.get("description") or "").strip(),
        columns=described,
        parts=parts,
    )
