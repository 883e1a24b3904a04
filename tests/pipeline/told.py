"""What `kam explain` tells, as tests look at it."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from dagster_project.lib.explained import explain
from dagster_project.lib.shown_story import story
from dagster_project.lib.words import Words
from tests.pipeline.pipeline_runs import Refreshed


def told_of(company: Refreshed, name: str) -> dict[str, Any]:
    return explain(company.live, name, warehouse=company.out / "warehouse/warehouse.duckdb")


def shown(told: dict[str, Any], language: str = "en") -> str:
    console = Console(width=200, record=True, file=StringIO())
    story(console, told, Words(language))
    return console.export_text()


def line_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if f" {label} " in line)
