"""The demo company's report, and those of companies that lack something, in Debian's headless chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dagster_project.lib.demo.truth import Truth
from tests.pipeline.conftest import demo
from tests.pipeline.pipeline_runs import Refreshed
from tests.pipeline.report_variants import VARIANTS, variant

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
__all__ = ["demo"]


@pytest.fixture(scope="session")
def reports(
    demo: tuple[Refreshed, Truth], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The files by name: `demo`, and one for each variant."""
    folder = tmp_path_factory.mktemp("reports")
    live = demo[0].live
    return {"demo": live.report} | {name: variant(live, folder / name, name) for name in VARIANTS}


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
