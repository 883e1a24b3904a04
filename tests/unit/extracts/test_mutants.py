"""Whatever is done to a sample's files: no traceback, no hang, and no row is lost.

500 mutants here; `make fuzz` sets MUTANTS to 10,000.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from dagster_project.lib.extracts.profile import load_profile
from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import Settings, load_settings
from tests.unit.extracts.mutants import mutant
from tests.unit.extracts.test_profile_samples import (
    SAMPLES,
    SHIPPED_PROFILES,
    rows_written,
)

MUTANTS = int(os.environ.get("MUTANTS", "500"))
# a mutant is a file of a few kilobytes; on a busy machine its landing takes under a second
HANGS_AFTER_SECONDS = 60


@pytest.mark.parametrize("profile", SHIPPED_PROFILES)
def test_no_mutant_is_lost_or_breaks_the_reader(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)
    sample = SAMPLES / profile / "landing"
    landing = tmp_path / "landing"
    shutil.copytree(sample, landing / "sys")
    flags = {"landing": landing, "out": tmp_path / "out", "profiles": {"sys": profile}}
    settings = load_settings(None, flags, environment={})
    files = sorted(path.relative_to(sample) for path in sample.rglob("*") if path.is_file())
    for number in range(-(-MUTANTS // len(SHIPPED_PROFILES))):
        path = landing / "sys" / files[number % len(files)]
        whole = path.read_bytes()
        damages, content = mutant(whole, number)
        path.write_bytes(content)
        started = time.monotonic()
        report = land_everything(settings, scratch=tmp_path / "scratch")
        took = time.monotonic() - started
        told = f"{profile}, {path.name}, mutant {number}: {damages}"
        assert took < HANGS_AFTER_SECONDS, told
        _check_nothing_is_lost(report, settings, told)
        name = f"sys/{files[number % len(files)].as_posix()}"
        _check_is_told_of(report, name, told)
        _check_lines(report, name, content, profile, told)
        path.write_bytes(whole)


def _check_nothing_is_lost(report: LandingReport, settings: Settings, told: str) -> None:
    """Each landed file's rows are in the raw zone or among the rejected, as its entry says."""
    for entry in (file.entry for file in report.files):
        counts = (entry.rows_loaded, entry.rows_rejected)
        assert rows_written(settings.raw, entry) == counts, (told, entry.entity)
        assert entry.rows_read == sum(counts), told


def _check_is_told_of(report: LandingReport, name: str, told: str) -> None:
    """The damaged file was landed, or the report names it."""
    named = [*report.errors, *report.left, *report.ignored]
    is_landed = any(file.file == name for file in report.files)
    assert is_landed or any(text.startswith(name) for text in named), told


def _check_lines(report: LandingReport, name: str, content: bytes, profile: str, told: str) -> None:
    """Of text without quotes each line that is not blank is the header, a row, rejected, left out or furniture."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    if '"' in text or "\0" in text or "\r" in text or not name.endswith((".csv", ".txt", ".tsv")):
        return
    lines = [line for line in text.split("\n") if line.strip()]
    selects = {
        entity
        for entity, mappings in load_profile(profile).entities.items()
        if any(mapping.from_select for mapping in mappings)
    }
    for file in report.files:
        entry = file.entry
        if file.file == name and entry.entity not in selects:
            counted = entry.rows_read + sum(entry.rows_left_out.values()) + entry.lines_skipped
            assert counted + 1 == len(lines), (told, entry.entity)
