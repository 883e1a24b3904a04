"""A `kam forget` that is killed leaves the live release whole, and the same call, or a refresh, makes it good.

`make faults` runs these with the killed refreshes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.lib.forgetting.record import read_record
from tests.pipeline.people import CARL, is_whole, needles, places_of, plant
from tests.pipeline.pipeline_runs import (
    GOLDEN,
    GOLDEN_AS_OF,
    REPOSITORY,
    Refreshed,
    kam,
    published,
    refreshed,
)

POLICY = "gate: {max_rejected_share: 0.9}\n"
SOUGHT = needles(CARL) | {b"Cedar", b"Carlsson", b"Dorfman"}
KILLS = {
    "before the first release": ("dagster_project.lib.forgetting.everywhere", "_free_releases"),
    "before the swap of the release": ("dagster_project.lib.forgetting.releases", "exchange"),
    "before the raw zone": ("dagster_project.lib.forgetting.everywhere", "_free_raw"),
    "amid the raw zone": ("dagster_project.lib.forgetting.landed", "write_entry"),
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company with people."""
    folder = tmp_path_factory.mktemp("golden_with_people")
    shutil.copytree(GOLDEN / "landing", folder / "landing")
    plant(folder / "landing")
    published(refreshed(folder / "landing", folder / "out", as_of=GOLDEN_AS_OF, policy=POLICY))
    return Refreshed(folder / "landing", folder / "out")


def killed(company: Refreshed, moment: str) -> None:
    """Forgets account 3 in a process that kills itself where it comes to the moment."""
    module, function = KILLS[moment]
    script = (
        "import importlib, os, signal\n"
        f"module = importlib.import_module({module!r})\n"
        f"setattr(module, {function!r}, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
        "from dagster_project.cli import app\n"
        "app()\n"
    )
    arguments = ["forget", "--account", "3", "--out", company.out, "--landing", company.landing]
    ended = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=REPOSITORY, check=False
    )
    assert ended.returncode == -9
    assert read_record(company.out / "raw").is_unfinished
    assert places_of(company.out, SOUGHT)


@pytest.mark.parametrize("moment", KILLS)
def test_the_same_call_makes_it_good(company: Refreshed, tmp_path: Path, moment: str) -> None:
    own = company.copy(tmp_path)
    killed(own, moment)
    assert is_whole(own)
    called = kam("forget", "--account", "3", "--out", own.out, "--landing", own.landing)
    assert called.returncode == 0, called.stderr
    assert not places_of(own.out, SOUGHT)
    assert is_whole(own)
    assert not list(own.out.rglob("*.part"))
    assert not read_record(own.out / "raw").is_unfinished


def test_the_next_refresh_makes_it_good(company: Refreshed, tmp_path: Path) -> None:
    """By the record alone, for whoever killed the call may not know any more whom it was about."""
    own = company.copy(tmp_path)
    killed(own, "before the swap of the release")
    published(refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY))
    assert not places_of(own.out, SOUGHT)
    assert not read_record(own.out / "raw").is_unfinished
