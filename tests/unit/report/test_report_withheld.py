"""A report that cannot be made withholds no tiers, and is not passed over in silence."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.warehouse.release import _write_report


def test_a_report_that_fails_is_said_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def half(release: Any) -> None:
        release.report.write_text("<html>")
        raise TypeError("no hours")

    monkeypatch.setattr("dagster_project.lib.report.write.write_report", half)
    draft = cast(LiveRelease, SimpleNamespace(report=tmp_path / "report.html"))
    with caplog.at_level(logging.WARNING):
        _write_report(draft)
    assert "report.html could not be made (TypeError: no hours)" in caplog.text
    assert not draft.report.exists()
