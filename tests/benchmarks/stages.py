"""How each figure is measured: every run a process of its own, yardstick and product in turn."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from tests.benchmarks.figures import Figure, today
from tests.benchmarks.generate_lines import AS_OF, FileFormat, Volume, landing_folder
from tests.benchmarks.measuring import Measured, StageError, measure, median

PROJECT = Path(__file__).parents[2]
DBT = PROJECT / "dbt"
BIN = Path(sys.executable).parent
GOAL_PEAK_MB = 2_000
UNIT_TESTS = ("--exclude", "resource_type:unit_test")
# What the product and the hand-written script both publish; shares are rounded alike.
COMPARED = {
    "account_tiers": "account_key, as_of, revenue, gross_margin, revenue_tier, gross_margin_tier, "
    "revenue_rank, revenue_share, gross_margin_share_before",
    "account_tier_history": "account_key, as_of, revenue, gross_margin, revenue_tier, "
    "gross_margin_tier, revenue_share, gross_margin_share_before",
    "account_monthly": "account_key, month, revenue, cost, gross_margin, invoice_count",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """Where generated input is kept, where runs write, and how often the small ones are repeated."""

    cache: Path
    scratch: Path
    repeats: int

    def fresh(self, name: str) -> Path:
        """A path below the scratch folder at which nothing lies."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def run(self, name: str, *command: str | Path, **environment: str) -> Measured:
        """Measures one process; its output is in `<name>.log`."""
        result = measure(command, folder=PROJECT, log=self.log_of(name), environment=environment)
        log.info("%-28s %7.2f s wall %7.2f s CPU", name, result.wall, result.cpu)
        return result

    def log_of(self, name: str) -> Path:
        """The file with what a run printed."""
        return self.scratch / f"{name}.log"

    def refresh(self, landing: Path, out: Path, *, name: str) -> Measured:
        """One `kam refresh`."""
        return self.run(name, BIN / "kam", "refresh", "--landing", landing, "--out", out)


def help_figure(shop: Workshop) -> list[Figure]:
    """`kam --help` against a Python that does nothing."""
    runs, bare = [], []
    for _ in range(2 * shop.repeats + 1):
        bare.append(shop.run("python", sys.executable, "-c", "pass"))
        runs.append(shop.run("kam --help", BIN / "kam", "--help"))
    return [
        Figure(
            "kam --help",
            "`python -c pass`",
            median(runs),
            median(bare),
            goal_seconds=0.5,
            day=today(),
        )
    ]


def demo_figures(shop: Workshop) -> list[Figure]:
    """The demo company: a refresh, and one with nothing new, against a bare `dbt build`."""
    from dagster_project.demo import generate

    landing = shop.fresh("demo_landing")
    generate(landing)
    prepared = _landed(landing, shop.fresh("demo_landed"))
    _warm_up(shop, prepared)
    refreshes, idle, built, untested = [], [], [], []
    for _ in range(shop.repeats):
        built.append(_dbt_build(shop, prepared))
        out = shop.fresh("demo_out")
        refreshes.append(shop.refresh(landing, out, name="refresh of the demo"))
        idle.append(shop.refresh(landing, out, name="refresh, nothing new"))
        _assert_nothing_done(shop.log_of("refresh, nothing new"))
        untested.append(_dbt_build(shop, prepared, *UNIT_TESTS))
    bare, same_nodes, day = median(built), median(untested), today()
    words = "bare `dbt build`"
    return [
        Figure("demo refresh", words, median(refreshes), bare, goal_ratio=2.0, day=day),
        Figure(
            "demo refresh, same dbt nodes",
            f"{words} without unit tests",
            median(refreshes),
            same_nodes,
            day=day,
        ),
        Figure("demo refresh, nothing new", words, median(idle), bare, goal_ratio=1.0, day=day),
    ]


def lines_stage(volume: Volume, file_format: FileFormat) -> Callable[[Workshop], list[Figure]]:
    """First load of a volume against the hand-written script, which runs before and after it."""

    def stage(shop: Workshop) -> list[Figure]:
        landing = landing_folder(volume, file_format, shop.cache)
        runs, scripts = [], []
        for _ in range(1 if volume.lines > 1_000_000 else shop.repeats):
            scripts.append(_hand_script(shop, landing))
            out = shop.fresh("lines_out")
            runs.append(shop.refresh(landing, out, name=f"refresh {volume.lines} {file_format}"))
            assert_equal_marts(out / "published", shop.scratch / "hand_out" / "marts")
            scripts.append(_hand_script(shop, landing))
        is_goal = volume.lines >= 10_000_000
        return [
            Figure(
                f"{volume.lines // 1_000_000} million lines, {file_format}, first load",
                "hand-written script",
                median(runs),
                median(scripts),
                goal_ratio=5.0 if is_goal else None,
                goal_peak_mb=GOAL_PEAK_MB,
                day=today(),
            )
        ]

    return stage


def floor_stage(volume: Volume) -> Callable[[Workshop], list[Figure]]:
    """The hand-written script against the bare floor: what 36 months, margin and landing cost by hand."""

    def stage(shop: Workshop) -> list[Figure]:
        landing = landing_folder(volume, "parquet", shop.cache)
        floors, scripts = [], []
        for _ in range(shop.repeats):
            floors.append(
                shop.run(
                    "bare floor",
                    *(sys.executable, "-m", "tests.benchmarks.bare_floor", "--landing", landing),
                    *("--target", shop.scratch / "floor.parquet", "--as-of", AS_OF.isoformat()),
                )
            )
            scripts.append(_hand_script(shop, landing))
        name = f"hand-written script, {volume.lines // 1_000_000} million lines, parquet"
        words = "bare floor (12 months, one tiering)"
        return [Figure(name, words, median(scripts), median(floors), day=today())]

    return stage


def assert_equal_marts(published: Path, by_hand: Path) -> None:
    """Compares the marts of the live release with the script's.

    Raises:
        StageError: names the mart and shows a row that only one of the two has.
    """
    release = json.loads((published / "current.json").read_bytes())["release_id"]
    for mart, columns in COMPARED.items():
        ours = f"select {columns} from '{published}/releases/{release}/marts/{mart}.parquet'"
        theirs = f"select {columns} from '{by_hand}/{mart}.parquet'"
        for left, right in ((ours, theirs), (theirs, ours)):
            row = duckdb.execute(f"({left} except all {right}) limit 1").fetchone()
            if row is not None:
                side = "product" if left is ours else "hand-written script"
                raise StageError(f"{mart}: only the {side} has {row}; no ratio of unequal results")


def _hand_script(shop: Workshop, landing: Path) -> Measured:
    out = shop.fresh("hand_out")
    return shop.run(
        "hand-written script",
        *(sys.executable, "-m", "tests.benchmarks.hand_script", "--landing", landing),
        *("--out", out, "--as-of", AS_OF.isoformat()),
    )


def _landed(landing: Path, out: Path) -> Path:
    """The warehouse file as a refresh leaves it before dbt: the raw schema and nothing else."""
    from dagster_project.lib.landing import land_everything
    from dagster_project.lib.warehouse.run_inputs import prepare_raw_schema
    from dagster_project.policy import load_policy
    from dagster_project.settings import load_settings

    settings = load_settings(None, {"landing": landing, "out": out}, environment={})
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
        "dbt build",
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

    parsed_folder()
    shutil.rmtree(shop.scratch / "dbt_target", ignore_errors=True)
    _dbt_build(shop, prepared)


def _assert_nothing_done(printed: Path) -> None:
    text = printed.read_text(encoding="utf-8")
    if "nothing to do" not in text:
        raise StageError(f"a second refresh did not say `nothing to do`:\n{text}")
