"""A refresh that is killed at any moment leaves the live release whole, and the next one makes it good.

`make faults` runs these; they take minutes, and `make test` leaves them out.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagster_project.demo import generate
from tests.pipeline.pipeline_runs import (
    REFRESH_SECONDS,
    REPOSITORY,
    Refreshed,
    Rows,
    kam_process,
    published,
    published_rows,
    refreshed,
)

MOMENTS = 10
SEED = 20_260_101
LINES = 60
AMOUNT = re.compile(r"[0-9]+\.[0-9]{2}")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Refreshed, str]:
    """The demo company, published; then a month of it was corrected. With its as_of."""
    folder = tmp_path_factory.mktemp("company")
    truth = generate(folder / "landing")
    # they would not agree with what is corrected here, and the gate would stop it, as it should
    (folder / "landing" / "erp" / "control_totals.csv").unlink()
    made = Refreshed(folder / "landing", folder / "out")
    published(refreshed(made.landing, made.out, as_of=truth.as_of))
    correct(made.landing)
    return made, str(truth.as_of)


@pytest.fixture(scope="module")
def wanted(
    company: tuple[Refreshed, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Rows]:
    """What a full build makes of the corrected company."""
    made, as_of = company
    whole = made.copy(tmp_path_factory.mktemp("whole"))
    published(refreshed(whole.landing, whole.out, as_of=as_of, full=True))
    return published_rows(whole)


@pytest.fixture(scope="module")
def seconds(company: tuple[Refreshed, str], tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an incremental refresh takes that nobody kills."""
    made, as_of = company
    timed = made.copy(tmp_path_factory.mktemp("timed"))
    began = time.monotonic()
    outcome = kam_process(
        "refresh", "--landing", timed.landing, "--out", timed.out, "--as-of", as_of
    )
    assert outcome.returncode == 0, outcome.stderr
    return time.monotonic() - began


def correct(landing: Path) -> None:
    """Delivers lines of the last year once more, with other amounts."""
    path = sorted((landing / "erp").glob("invoice_lines_2026*.csv"))[0]
    header, *lines = path.read_text(encoding="latin-1").splitlines(keepends=True)
    names = header.rstrip("\n").split(",")
    amount, kind = names.index("net_amount"), names.index("document_type")
    changed = []
    for line in lines:
        values = line.split(",")
        # the demo plants bad lines; these are good ones
        is_good = len(values) == len(names) and line.isascii() and '"' not in line
        if is_good and values[kind] == "invoice" and AMOUNT.fullmatch(values[amount]):
            values[amount] = f"{float(values[amount]) * 1.5:.2f}"
            changed.append(",".join(values))
    (landing / "erp" / "invoice_lines_2026_zz.csv").write_text(
        "".join([header, *changed[-LINES:]]), encoding="utf-8"
    )


def killed_after(seconds: float, company: Refreshed, as_of: str) -> int:
    """Starts a refresh, kills it and all that it started; its exit code (-9: it was killed)."""
    arguments = ["refresh", "--landing", str(company.landing), "--out", str(company.out)]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from dagster_project.cli import app; app()"),
            *(*arguments, "--as-of", as_of),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(timeout=REFRESH_SECONDS)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_killed_refresh_converges(
    moment: int,
    company: tuple[Refreshed, str],
    wanted: dict[str, Rows],
    seconds: float,
    tmp_path: Path,
) -> None:
    made, as_of = company
    broken = made.copy(tmp_path)
    before = broken.live.release_id
    share = (moment + random.Random(SEED + moment).random()) / MOMENTS
    code = killed_after(share * seconds, broken, as_of)
    assert code in (-signal.SIGKILL, 0)
    # a reader finds one whole release, the old one unless the new one was live already
    found = broken.rows("select count(*) as accounts, sum(revenue) as revenue from account_tiers")
    assert found == made.rows(
        "select count(*) as accounts, sum(revenue) as revenue from account_tiers"
    ) or found == [
        {
            "accounts": len(wanted["account_tiers"]),
            "revenue": sum(row["revenue"] for row in wanted["account_tiers"]),
        }
    ]
    outcome = kam_process(
        "refresh", "--landing", broken.landing, "--out", broken.out, "--as-of", as_of
    )
    assert outcome.returncode == 0, outcome.stderr
    assert broken.live.release_id != before
    assert published_rows(broken) == wanted
    assert not list((broken.out / "published").rglob(".*.part"))
    shutil.rmtree(tmp_path)
