"""Invoice lines by the million: first load, nothing new, a day, a month, late credit notes; and the scripts.

Belongs here: what is measured at each size. Every result is compared with the DuckDB script's, row by row.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from dagster_project.lib.warehouse.dbt_project import parsed_folder
from tests.benchmarks.comparing import assert_equal_core, assert_equal_marts, published_marts
from tests.benchmarks.deliveries import CHANGES, delivery, lay
from tests.benchmarks.figures import Run, state_of
from tests.benchmarks.generate_lines import landing_folder
from tests.benchmarks.measuring import apart, median
from tests.benchmarks.volume import AS_OF, MILLION, FileFormat, Volume
from tests.benchmarks.workshop import BIN, Workshop

YARDSTICKS = Path(__file__).with_name("yardsticks")
CHANGE_WORDS = {"day": "one day", "month": "one month", "late": "late credit notes"}
SCRIPT = "DuckDB script"
CORE = "DuckDB script, core"
# Above it the scripts run once, and only the last change is compared: minutes each.
MOST_REPEATED = 10 * MILLION


@dataclass(frozen=True)
class Site:
    """One size in one format, and the folders in which it is worked on."""

    shop: Workshop
    volume: Volume
    file_format: FileFormat

    @property
    def title(self) -> str:
        """The beginning of its figures' names."""
        return f"{self.volume.lines // MILLION}m/{self.file_format}"

    @cached_property
    def base(self) -> Path:
        """The generated landing folder of the first load."""
        return apart(landing_folder, self.volume, self.file_format, self.shop.cache)

    @property
    def kept_marts(self) -> Path:
        """The core's marts of the first load, kept for the scripts of other engines."""
        script = state_of([YARDSTICKS / "duckdb_script"])
        return self.base.parent / f"marts_{script}"

    @property
    def hand_marts(self) -> Path:
        """The marts of the DuckDB script's last run."""
        return self.shop.scratch / "hand_out" / "marts"

    def by_hand(self, landing: Path, *, name: str) -> Run:
        """The whole DuckDB script."""
        return self._script("duckdb_script", landing, name)

    def core_by_hand(self) -> Run:
        """Its core, on the first load; the marts are kept."""
        run = self._script("duckdb_script.core", self.base, CORE)
        shutil.rmtree(self.kept_marts, ignore_errors=True)
        shutil.copytree(self.hand_marts, self.kept_marts)
        return run

    def core_marts(self) -> Path:
        """The core's marts of the first load, from an earlier run where there was one."""
        if not self.kept_marts.is_dir():
            self.core_by_hand()
        return self.kept_marts

    def compare(self, marts: Path, who: str, *, is_later: bool = False) -> None:
        """Raises StageError where marts differ from those of the DuckDB script's last run."""
        spill = self.shop.scratch / "compare_spill"
        by_hand = self.hand_marts
        apart(assert_equal_marts, marts, by_hand, who=who, spill=spill, is_later=is_later)

    def compare_core(self, marts: Path, who: str) -> None:
        """Raises StageError where marts of the first load differ from the core's."""
        spill = self.shop.scratch / "compare_spill"
        apart(assert_equal_core, marts, self.core_marts(), who=who, spill=spill)

    def _script(self, script: str, landing: Path, name: str) -> Run:
        out = self.shop.fresh("hand_out")
        return self.shop.script(script, landing, out, name=f"{self.title}/{name}")


def size_stage(volume: Volume, file_format: FileFormat) -> Callable[[Workshop], None]:
    """The product at one size, cold and after each change, against the DuckDB script."""
    return partial(_measure_size, volume, file_format)


def script_stage(script: str, words: str, volume: Volume) -> Callable[[Workshop], None]:
    """Another script on the first load, its marts compared with those of the DuckDB script's core."""
    return partial(_measure_script, script, words, volume)


def _measure_size(volume: Volume, file_format: FileFormat, shop: Workshop) -> None:
    site = Site(shop, volume, file_format)
    changes = [apart(delivery, name, volume, file_format, shop.cache) for name in CHANGES]
    landing, as_if = shop.fresh("landing"), shop.fresh("landing_as_if")
    lay(site.base, landing)
    lay(site.base, as_if)
    apart(parsed_folder)
    out = _first_load(site, landing)
    idle = shop.refresh(landing, out, name=f"{site.title}/nothing new", is_idle=True)
    shop.book.add(idle, _hash_of_files(site, landing), _simulated(site, out))
    for number, (name, change) in enumerate(zip(CHANGES, changes, strict=True), start=1):
        lay(change.delivered, landing)
        lay(change.as_if, as_if)
        run = shop.refresh(landing, out, name=f"{site.title}/{CHANGE_WORDS[name]}")
        if volume.lines <= MOST_REPEATED or number == len(CHANGES):
            site.by_hand(as_if, name=f"check after {CHANGE_WORDS[name]}")
            site.compare(published_marts(out / "published"), "product", is_later=True)
            run = replace(run, same_as=SCRIPT)
        shop.book.add(run)


def history_stage(volume: Volume) -> Callable[[Workshop], None]:
    """A first load, then everything anew with the whole history, and with one month of it."""

    def stage(shop: Workshop) -> None:
        site, title = Site(shop, volume, "parquet"), f"{volume.lines // MILLION}m/parquet"
        landing, out = shop.fresh("landing"), shop.fresh("lines_out")
        lay(site.base, landing)
        shop.book.add(shop.refresh(landing, out, name=f"{title}/first load"))
        one_month = _policy(shop, "one_month", "history_months: 1")
        for months, flags in (("36 months", []), ("one month", ["--policy", one_month])):
            name = f"{title}/{months} of history"
            shop.book.add(shop.refresh(landing, out, "--full", *flags, name=name))

    return stage


def _policy(shop: Workshop, name: str, text: str) -> Path:
    path = shop.scratch / f"{name}.yml"
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def _first_load(site: Site, landing: Path) -> Path:
    """The first load between two runs of the script; the output folder of the last one."""
    shop, name = site.shop, f"{site.title}/first load"
    loads, scripts, cores = [], [], []
    for _ in range(shop.repeats if site.volume.lines <= MILLION else 1):
        cores.append(site.core_by_hand())
        scripts.append(site.by_hand(landing, name=SCRIPT))
        out = shop.fresh("lines_out")
        loads.append(shop.refresh(landing, out, name=name))
        published = published_marts(out / "published")
        site.compare(published, "product")
        site.compare_core(published, "product")
        # before and after: the machine's speed drifts
        scripts.append(site.by_hand(landing, name=SCRIPT))
    for runs, same_as in ((cores, ""), (scripts, ""), (loads, SCRIPT)):
        measured = median([run.measured for run in runs])
        shop.book.add(replace(runs[-1], measured=measured, same_as=same_as))
    return out


def _simulated(site: Site, out: Path) -> Run:
    """Another policy on what the first load kept; the first call of a project's version compiles its models."""
    text = "schemes: {revenue: {cut_points: {A: 0.70, B: 0.90}}}"
    policy, name = _policy(site.shop, "other_cuts", text), f"{site.title}/simulate"
    command = (BIN / "kam", "simulate", "--out", out, "--policy", policy)
    site.shop.run(f"{name}, compiling", *command, writes=out)
    return Run(name, site.shop.run(name, *command, writes=out))


def _hash_of_files(site: Site, landing: Path) -> Run:
    """What reading every file once and hashing it costs: no check of contents can cost less."""
    files = [str(path) for path in sorted(landing.rglob("*")) if path.is_file()]
    program = (
        "import hashlib, sys\n"
        "for path in sys.argv[1:]:\n"
        "    with open(path, 'rb') as file: hashlib.file_digest(file, 'sha256')"
    )
    name = f"{site.title}/hash of the files"
    return Run(name, site.shop.run(name, sys.executable, "-c", program, *files))


def _measure_script(script: str, words: str, volume: Volume, shop: Workshop) -> None:
    site = Site(shop, volume, "parquet")
    name = f"{site.title}/{words}"
    if script == "spark_script" and not _has_java():
        shop.book.notes[name] = "skipped: no java"
        return
    out = shop.fresh("script_out")
    run = shop.script(script, site.base, out, name=name)
    site.compare_core(out / "marts", words)
    shop.book.add(replace(run, same_as=CORE))


def floor_stage(volume: Volume) -> Callable[[Workshop], None]:
    """The bare floor: what 12 months and one tiering cost when nothing is landed, kept or checked."""

    def stage(shop: Workshop) -> None:
        site = Site(shop, volume, "parquet")
        name = f"{site.title}/bare floor"
        runs = [
            shop.run(
                name,
                *(sys.executable, "-m", "tests.benchmarks.yardsticks.bare_floor"),
                *("--landing", site.base, "--target", shop.scratch / "floor.parquet"),
                *("--as-of", AS_OF.isoformat()),
            )
            for _ in range(shop.repeats)
        ]
        shop.book.add(Run(name, median(runs)))

    return stage


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java") is not None or bool(
        home and (Path(home) / "bin" / "java").is_file()
    )
