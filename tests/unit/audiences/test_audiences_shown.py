"""`kam audiences` as people read it."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from dagster_project.audiences import run_audiences
from dagster_project.commands import Call, ExitCode
from dagster_project.lib.audiences.records import AudienceFile, AudienceManifest

HOPELESS = "no wider one reaches the minimum either"


def entry(destination: str, audience: str, **said: Any) -> AudienceFile:
    given: dict[str, Any] = {
        "destination": destination, "audience": audience, "kind": "full", "file": None, "rows": 4,
        "status": "below_minimum", "minimum_rows": 300, "left_out": {}, "sha256": None,
        "wider_audience": None, "minimum_met": False,
    }  # fmt: skip
    return AudienceFile.model_validate(given | said)


def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *entries: AudienceFile) -> str:
    manifest = AudienceManifest(files=entries)
    live = SimpleNamespace(
        audiences=tmp_path,
        release_id="r",
        manifest=SimpleNamespace(as_of="2026-11-01", previous_release_id=None),
    )
    monkeypatch.setattr("dagster_project.audiences.live_release", lambda settings: live)
    monkeypatch.setattr("dagster_project.audiences.read_audience_manifest", lambda folder: manifest)
    console = Console(file=io.StringIO(), width=160)
    flags = {"destinations": [one.destination for one in entries]}
    call = SimpleNamespace(flags=flags, settings=None, as_json=False, console=console)
    assert run_audiences(cast(Call, call)) is ExitCode.DONE
    return cast(io.StringIO, console.file).getvalue()


def test_that_no_wider_list_would_do_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("A", "A+B", "prospects_A")
    text = told(tmp_path, monkeypatch, *(entry("linkedin_companies", name) for name in names))
    assert text.count("below the minimum of 300") == 3
    assert text.count(HOPELESS) == 1


def test_the_wider_list_is_named_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = told(tmp_path, monkeypatch, entry("linkedin_companies", "A", wider_audience="A+B"))
    assert "below the minimum of 300: take A+B" in text
    assert HOPELESS not in text


def test_lists_that_hold_more_than_their_tier_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {"status": "written", "file": "6sense/A.csv", "minimum_rows": 0}
    text = told(tmp_path, monkeypatch, entry("6sense", "A", **written))
    assert "6sense: a group stands with all its sites, of whatever tier" in text
    others = told(tmp_path, monkeypatch, entry("demandbase", "A", **written))
    assert "a group stands" not in others and HOPELESS not in others
