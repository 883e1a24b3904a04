"""Which marts are published: dbt's manifest says, and a mart without a key is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.release.marts import Mart, MartError, read_marts, without


def node(name: str, folder: str = "marts", **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": folder,
        "path": f"{folder}/{name}.sql",
        "description": " One row per account. ",
        "config": config,
        "columns": {
            "account_key": {"description": "Key."},
            "revenue": {"description": ""},
        },
    }


def written(folder: Path, *nodes: dict[str, Any]) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": {found["name"]: found for found in nodes}}))
    return path


def test_marts_come_by_name_with_key_and_descriptions(tmp_path: Path) -> None:
    test = {"resource_type": "test", "name": "a_test", "path": "marts/a_test.sql"}
    manifest = written(
        tmp_path,
        node("tier_moves", meta={"key": ["account_key", "month"]}),
        node("account_tiers", meta={"key": "account_key"}),
        node("int_accounts", "intermediate"),
        test,
    )
    marts = read_marts(manifest)
    assert [mart.name for mart in marts] == ["account_tiers", "tier_moves"]
    assert marts[0] == Mart(
        "account_tiers",
        ("account_key",),
        description="One row per account.",
        columns={"account_key": "Key."},
    )
    assert marts[1].key == ("account_key", "month")
    assert without(marts, "tier_moves") == marts[:1]


def test_mart_without_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(MartError, match=r"mart tier_moves: no key; add .*meta"):
        read_marts(written(tmp_path, node("tier_moves")))


def test_parts_are_values_of_the_first_key_column(tmp_path: Path) -> None:
    key = ["as_of", "account_key"]
    (mart,) = read_marts(written(tmp_path, node("history", meta={"key": key, "parts": "as_of"})))
    assert mart.parts == "as_of"
    with pytest.raises(MartError, match=r"mart history: meta\.parts month is not the first"):
        read_marts(written(tmp_path, node("history", meta={"key": key, "parts": "month"})))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nodes": {}}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(MartError, match=r"manifest\.json: .*run dbt parse"):
        read_marts(path)
