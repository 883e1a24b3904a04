"""The small stages: the command line's start, the demo company against a bare `dbt build`.

Belongs here: what is repeated and shown as a median. Lines by the million: `scale.py`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from tests.benchmarks.figures import Run
from tests.benchmarks.measuring import Measured, apart, median
from tests.benchmarks.workshop import BIN, PROJECT, Workshop

DBT = PROJECT / "dbt"
UNIT_TESTS = ("--exclude", "resource_type:unit_test")


def help_stage(shop: Workshop) -> None:
    """`kam --help` beside a Python that does nothing."""
    runs, bare = [], []
    for _ in range(2 * shop.repeats + 1):
        bare.append(shop.run("python", sys.executable, "-c", "pass"))
        runs.append(shop.run("kam --help", BIN / "kam", "--help"))
    shop.book.add(Run("help/kam --help", median(runs)), Run("help/python -c pass", median(bare)))


def demo_stage(shop: Workshop) -> None:
    """The demo company: a refresh, and one with nothing new, in turn with a bare `dbt build`."""
    from dagster_project.demo import generate

    landing = shop.fresh("demo_landing")
    apart(generate, landing)
    prepared = apart(_landed, landing, shop.fresh("demo_landed"))
    _warm_up(shop, prepared)
    refreshes, idle, built, untested = [], [], [], []
    for _ in range(shop.repeats):
        built.append(_dbt_build(shop, prepared))
        out = shop.fresh("demo_out")
        refreshes.append(shop.refresh(landing, out, name="demo/refresh"))
        idle.append(shop.refresh(landing, out, name="demo/nothing new", is_idle=True))
        untested.append(_dbt_build(shop, prepared, *UNIT_TESTS))
    floors = _mean([run.floors for run in refreshes])
    shop.book.add(
        replace(refreshes[-1], measured=median([run.measured for run in refreshes]), floors=floors),
        replace(idle[-1], measured=median([run.measured for run in idle])),
        Run("demo/bare dbt build", median(built)),
        Run("demo/bare dbt build without unit tests", median(untested)),
    )


def _mean(parts: list[dict[str, float]]) -> dict[str, float]:
    return {name: mean(part.get(name, 0.0) for part in parts) for name in parts[0]}


def _landed(landing: Path, out: Path) -> Path:
    """The warehouse file as a refresh leaves it before dbt: the raw schema and nothing else."""
    from dagster_project.lib.landing import land_everything
    from dagster_project.lib.warehouse.run_inputs import prepare_raw_schema
    from dagster_project.policy import load_policy
    from dagster_project.settings import load_settings

    no_environment: Mapping[str, str] = {}
    settings = load_settings(None, {"landing": landing, "out": out}, environment=no_environment)
    report = land_everything(settings, scratch=out / "scratch")
    run_at = datetime.now(UTC).replace(tzinfo=None)
    prepare_raw_schema(settings, load_policy(None), report=report, run_at=run_at)
    return settings.warehouse


def _dbt_build(shop: Workshop, prepared: Path, *selection: str) -> Measured:
    """One `dbt build` as users run it, on a copy of the landed raw schema, its parse kept from before."""
    work = shop.fresh("dbt_work")
    work.mkdir()
    warehouse = work / prepared.name
    shutil.copy2(prepared, warehouse)
    return shop.run(
        "bare dbt build",
        *(BIN / "dbt", "build", "--project-dir", DBT, "--profiles-dir", DBT),
        *("--target-path", shop.scratch / "dbt_target", "--log-path", work / "logs"),
        *selection,
        KAM_WAREHOUSE=str(warehouse),
        KAM_SCRATCH=str(work / "scratch"),
        KAM_THREADS=str(os.cpu_count() or 1),
    )


def _warm_up(shop: Workshop, prepared: Path) -> None:
    """Both sides keep a parse of the project; neither is measured while it makes it."""
    from dagster_project.lib.warehouse.dbt_project import parsed_folder

    apart(parsed_folder)
    shutil.rmtree(shop.scratch / "dbt_target", ignore_errors=True)
    _dbt_build(shop, prepared)
