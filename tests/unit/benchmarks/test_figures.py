"""Figures are kept, held against goals and drawn further; a process is measured as a whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks import bench, goals, paper
from tests.benchmarks.figures import Book, Run, floors_of, state_of
from tests.benchmarks.measuring import MEGABYTE, Measured, StageError, bytes_below, measure
from tests.benchmarks.startup import import_seconds, largest
from tests.benchmarks.tables import (
    README,
    figures_section,
    floor_rows,
    replaced,
    script_rows,
    write_readme,
)
from tests.benchmarks.workshop import Workshop


def run(name: str, wall: float, *, peak_mb: float = 500, **rest: dict[str, float]) -> Run:
    return Run(name, Measured(wall, 2 * wall, peak_mb), **rest)  # type: ignore[arg-type]


def book(tmp_path: Path, *runs: Run) -> Book:
    made = Book(tmp_path / "book.json")
    made.add(*runs)
    return made


def test_a_book_comes_back_and_a_newer_run_replaces(tmp_path: Path) -> None:
    kept = book(tmp_path, run("1m/csv/one day", 3.0, floors={"gate": 1.0}), run("demo/refresh", 9))
    kept.add(run("demo/refresh", 8.0))
    kept.done["demo"], kept.notes["1m-spark"] = "state", "skipped: no java"
    kept.write()
    again = Book.read(kept.path)
    assert again == kept
    assert again.wall("demo/refresh") == 8.0
    assert Book.read(tmp_path / "absent.json").runs == {}


def test_floors_add_up_to_the_whole() -> None:
    steps = {"extracts": 2.0, "sources__run_inputs": 1.0, "transform": 4.0, "new_step": 0.5}
    floors = floors_of(10.0, steps)
    assert floors == {"start-up": 2.5, "sources": 3.0, "transform": 4.0, "new_step": 0.5}


def test_a_changed_file_is_another_state(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    before = state_of([tmp_path])
    assert state_of([tmp_path]) == before
    assert state_of([tmp_path], ["3"]) != before
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "b.sql").write_text("made", encoding="utf-8")
    assert state_of([tmp_path]) == before
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    assert state_of([tmp_path]) != before


@pytest.mark.parametrize(("wall", "met"), [(40.0, "yes"), (40.5, "no"), (None, "not measured")])
def test_a_goal_is_a_ratio_of_walls(tmp_path: Path, wall: float | None, met: str) -> None:
    runs = [run("10m/parquet/DuckDB script", 10.0)]
    if wall is not None:
        runs.append(run("10m/parquet/first load", wall))
    assert goals.rows(book(tmp_path, *runs))[0][3] == met


def test_the_highest_peak_of_a_refresh_counts(tmp_path: Path) -> None:
    kept = book(
        tmp_path,
        run("10m/csv/one month", 1.0, peak_mb=3_100),
        run("10m/csv/first load", 1.0, peak_mb=900),
        run("10m/csv/Polars", 1.0, peak_mb=9_000),
    )
    peak = next(row for row in goals.rows(kept) if row[0].startswith("peak"))
    assert peak[2:] == ("3.10 GB (10m/csv/one month)", "no")


def test_a_slope_goes_through_both_points_and_never_falls_further_out() -> None:
    line = paper.Slope.through((10.0, 25.0), (100.0, 205.0))
    assert (line.fixed, line.per_line) == (5.0, 2.0)
    assert line.at(1_000) == 2_005.0
    assert paper.Slope.through((10.0, 7.0), (100.0, 5.0)).at(1_000) == 7.0
    with pytest.raises(ValueError, match="same number of lines"):
        paper.Slope.through((10.0, 1.0), (10.0, 2.0))


def test_paper_says_what_billions_need_or_that_it_does_not_know(tmp_path: Path) -> None:
    disk = {"raw": 30.0, "warehouse": 10.0, "published": 5.0, "all": 50.0}
    ten = run("10m/parquet/first load", 60.0, disk_mb=disk)
    hundred = run(
        "100m/parquet/first load", 600.0, disk_mb={name: 10 * mb for name, mb in disk.items()}
    )
    rows = {row[0]: row[1:] for row in paper.rows(book(tmp_path, ten, hundred))}
    further = ("50 min", "100 min", "16.7 h")
    assert rows["first load, wall clock on this machine"] == ("6.00 s", "-", *further)
    assert rows["disk: raw zone"] == ("3.0 MB", "-", "1.5 GB", "3.0 GB", "30.0 GB")
    assert rows["one changed month, wall clock"] == ("-", "-", *["not measured"] * 3)


def test_paper_tells_what_hangs_on_accounts_from_what_hangs_on_lines(tmp_path: Path) -> None:
    # 2 s a million lines, 40 s per 100,000 accounts: 5,000 for each million lines, 125,000 at most
    disk = dict.fromkeys(("raw", "warehouse", "published", "all"), 1.0)
    runs = (
        run("10m/parquet/first load", 5.0 + 20.0 + 20.0, disk_mb=disk),
        run("25m/parquet/first load", 5.0 + 50.0 + 50.0, disk_mb=disk),
        run("100m/parquet/first load", 5.0 + 200.0 + 50.0, disk_mb=disk),
    )
    rows = {row[0]: row[1:] for row in paper.rows(book(tmp_path, *runs))}
    found = rows["first load, wall clock on this machine"]
    assert found == ("2.00 s", "40.00 s", "18 min", "34 min", "5.6 h")


def test_tables_hold_every_run_in_the_order_of_sizes(tmp_path: Path) -> None:
    kept = book(
        tmp_path,
        run("100m/parquet/first load", 600.0, floors={"start-up": 5.0, "transform": 595.0}),
        run("1m/parquet/one day", 20.0, floors={"start-up": 5.0, "gate": 15.0}),
        run("1m/parquet/first load", 30.0, floors={"start-up": 5.0, "gate": 25.0}),
        run("1m/parquet/DuckDB script", 10.0),
    )
    assert [row[0] for row in floor_rows(kept)[1:]] == [
        *("1m/parquet/first load", "1m/parquet/one day", "100m/parquet/first load")
    ]
    kept.notes["1m-spark"] = "skipped: no java"
    kept.stale = ["10m-csv"]
    text = figures_section(kept)
    assert "| 1 million | parquet | first load | 30.00 | 60.00 | 500 | 3.00 | 1.00 |" in text
    assert "- 1m-spark: skipped: no java" in text
    assert "Not measured with the files as they are now: 10m-csv." in text


def test_the_product_is_held_against_the_whole_script_and_other_engines_against_its_core(
    tmp_path: Path,
) -> None:
    kept = book(
        tmp_path,
        run("10m/parquet/first load", 100.0),
        run("10m/parquet/DuckDB script", 20.0),
        run("10m/parquet/DuckDB script, core", 10.0),
        run("10m/parquet/Polars", 15.0),
    )
    ratios = [(row[2], *row[6:8]) for row in script_rows(kept)[1:]]
    assert ratios == [
        ("DuckDB script", "1.00", "-"),
        ("(the product's first load)", "5.00", "-"),
        ("DuckDB script, core", "-", "1.00"),
        ("Polars", "-", "1.50"),
    ]


def test_the_readme_has_the_markers_and_keeps_its_text(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    write_readme(book(tmp_path, run("demo/refresh", 12.34)), copy)
    text = copy.read_text(encoding="utf-8")
    assert "| demo/refresh | 12.34 |" in text
    assert text.startswith("# Benchmarks")
    with pytest.raises(ValueError, match="no markers <!-- figures: begin -->"):
        replaced("nothing", "figures", "table")


def test_import_times_are_summed_by_package() -> None:
    printed = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:      1000 |       1000 |     _json\n"
        "import time:      2000 |       3000 |   json.decoder\n"
        "import time:    500000 |     600000 | dagster._core\n"
        "import time:    250000 |     250000 |   dagster\n"
        "import time:     10000 |      10000 | rich\n"
        "landed crm/accounts.csv\n"
    )
    seconds = import_seconds(printed)
    assert seconds == pytest.approx({"Python's own": 0.003, "dagster": 0.75, "rich": 0.01})
    assert largest(seconds, 1) == pytest.approx(
        {"dagster": 0.75, "2 other packages": 0.013, "all imports": 0.763}
    )


def test_a_process_is_measured_with_its_children(tmp_path: Path) -> None:
    work = (
        "import subprocess, sys, time\n"
        "held = bytearray(150_000_000)\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
    )
    program = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}], check=True)"
    )
    found = measure([sys.executable, "-c", program], folder=tmp_path, log=tmp_path / "log")
    assert found.cpu >= 0.3
    assert found.wall >= 0.3
    assert found.peak_mb >= 150


def test_the_most_disk_is_seen_while_it_is_used(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    program = (
        "import pathlib, sys, time\n"
        "spill = pathlib.Path(sys.argv[1]) / 'spill'\n"
        "spill.write_bytes(b'x' * 5_000_000)\n"
        "time.sleep(1.5)\n"
        "spill.unlink()\n"
    )
    command = [sys.executable, "-c", program, out]
    found = measure(command, folder=tmp_path, log=tmp_path / "log", writes=out)
    assert found.peak_disk_mb >= 5
    assert bytes_below(out) == 0


def test_a_failed_stage_is_noted_and_the_next_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Workshop) -> None:
        raise RuntimeError("out of disk\nand more")

    def works(shop: Workshop) -> None:
        shop.book.add(run("demo/refresh", 1.0))

    measured = {"bad": bench.Stage(fails, ()), "good": bench.Stage(works, ())}
    monkeypatch.setattr(bench, "stages", lambda: measured)
    written: list[Book] = []
    monkeypatch.setattr(bench, "write_readme", written.append)
    monkeypatch.setattr(sys, "argv", ["bench", "--cache", str(tmp_path)])
    assert bench.main() == 1
    kept = Book.read(tmp_path / "book.json")
    assert kept.notes == {"bad": "failed: out of disk"}
    assert list(kept.done) == ["good"]
    assert written == [], "figures of a cache of one's own stay out of the README"
    monkeypatch.setattr(bench, "default_cache", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "good", "--again"])
    assert bench.main() == 0
    assert len(written) == 1
    measured["good"] = bench.Stage(fails, ())
    monkeypatch.setattr(sys, "argv", ["bench", "--cache", str(tmp_path), "--only", "good"])
    assert bench.main() == 0, "what was measured with the same files is not measured again"


def test_a_failed_process_gives_no_figure(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('what went wrong')"]
    with pytest.raises(StageError, match="ended with 1:\nwhat went wrong"):
        measure(command, folder=tmp_path, log=tmp_path / "log")


def test_a_file_with_two_names_takes_its_place_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 2 * MEGABYTE)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert 2 * MEGABYTE <= bytes_below(tmp_path) < 3 * MEGABYTE
