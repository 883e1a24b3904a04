"""The demo company's report, and those of companies that lack something, in Debian's headless chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dagster_project.demo import generate
from dagster_project.lib.release.live import read_live
from dagster_project.lib.report.write import write_report
from tests.pipeline.pipeline_runs import published, refreshed
from tests.pipeline.report_variants import VARIANTS, variant

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
REFRESHED = os.environ.get(
    "REPORT_OUT"
)  # an output folder of the demo company, to spare its refresh


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files by name: `demo`, and one for each variant."""
    folder = tmp_path_factory.mktemp("reports")
    out = Path(REFRESHED) if REFRESHED else folder / "out"
    if not REFRESHED:
        truth = generate(folder / "landing")
        published(refreshed(folder / "landing", out, as_of=truth.as_of))
    live = read_live(out / "published")
    assert live is not None, out
    found = {"demo": write_report(live)}
    return found | {name: variant(live, folder / name, name) for name in VARIANTS}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is absent: apt-get install chromium, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        # inside a container there is no user namespace for the sandbox
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
