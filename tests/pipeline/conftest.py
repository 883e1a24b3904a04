"""Companies refreshed once for all tests of a session, whichever process runs them.

A refresh takes seconds, so tests read what these fixtures made, and one that changes anything works on a copy.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from dagster_project.demo import generate
from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import (
    ADVENTUREWORKS,
    GOLDEN,
    GOLDEN_AS_OF,
    Refreshed,
    published,
    refreshed,
    replace_line,
)

# A folder in which sessions of the same code, one after the other, find what an earlier one made (.ci/run)
MADE = "MADE_ONCE"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one process makes and the others wait for (xdist's workers share no fixture)."""
    root = factory.getbasetemp()
    if os.environ.get(MADE):
        root = Path(os.environ[MADE])
    elif "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Refreshed, Truth]:
    """The demo company, and what must come out of it."""

    def make(folder: Path) -> None:
        truth = generate(folder / "landing")
        published(refreshed(folder / "landing", folder / "out", as_of=truth.as_of, threads=4))
        (folder / "truth.pickle").write_bytes(pickle.dumps(truth))

    folder = made_once(tmp_path_factory, "demo_company", make)
    truth: Truth = pickle.loads((folder / "truth.pickle").read_bytes())
    return Refreshed(folder / "landing", folder / "out"), truth


@pytest.fixture(scope="session")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """AdventureWorks at the end of 2013; its files may be absent outside of CI only."""
    if not ADVENTUREWORKS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{ADVENTUREWORKS} is absent: lay the shared data beside the repository")
        pytest.skip(f"{ADVENTUREWORKS} is absent")

    def make(folder: Path) -> None:
        policy = "reporting_currency: USD\n"
        published(refreshed(ADVENTUREWORKS, folder / "out", as_of="2014-01-01", policy=policy))

    return Refreshed(ADVENTUREWORKS, made_once(tmp_path_factory, "adventureworks", make) / "out")


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The company of twelve accounts that was worked out by hand."""

    def make(folder: Path) -> None:
        published(refreshed(GOLDEN / "landing", folder / "out", as_of=GOLDEN_AS_OF))

    return Refreshed(GOLDEN / "landing", made_once(tmp_path_factory, "golden", make) / "out")


@pytest.fixture(scope="session")
def second_golden(golden: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company's next release: one account more, one renamed, one gone."""

    def make(folder: Path) -> None:
        company = golden.copy(folder)
        accounts = company.landing / "crm/accounts.csv"
        replace_line(accounts, 6, "Fir", "Fir and Sons")
        replace_line(accounts, 9, "10,Juniper,,prospect,,,FR", "99,Larch,,prospect,,,DE")
        published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF))

    folder = made_once(tmp_path_factory, "second_golden", make)
    return Refreshed(folder / "landing", folder / "out")
