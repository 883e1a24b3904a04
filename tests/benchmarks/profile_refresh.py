"""Shows where the seconds of one refresh go: steps, delivered files, dbt nodes, and Python functions.

Belongs here: looking. The figures that are compared with goals are `bench.py`'s.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pyinstrument import Profiler
from rich.console import Console
from rich.table import Table

SHOWN_NODES = 25
INTERVAL = 0.001  # of samples, in seconds

BEFORE = {
    "imports": "imports of the command: policy, settings",
    "loading the graph": "loading the graph: imports of Dagster and dagster-dbt, manifest",
    "imports of dbt": "imports of dbt that the graph did not need",
    "imports of great_expectations": "imports of Great Expectations",
}
# By the beginning of the span's name.
INSIDE = {
    "land_everything": "sources: reading, typing and landing the files",
    "prepare_raw_schema": "sources: raw schema of the warehouse, identifiers",
    "dbt build --exclude": "transform: dbt build up to the marts with its tests",
    "run_gate": "gate: expectations and the recomputation in pandas",
    "dbt build --select": "exports: dbt build of what passed the gate",
    "publish_release": "release: marts, database, audiences, manifest, swap",
}

log = logging.getLogger(__name__)


@dataclass
class Stopwatch:
    """Wall and CPU seconds (of all threads) by name, in the order of the first call."""

    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Adds the seconds of the block to `name`."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            known = self.spans.get(name, (0.0, 0.0))
            self.spans[name] = (
                known[0] + time.perf_counter() - wall,
                known[1] + time.process_time() - cpu,
            )

    def wrap(
        self, owner: Any, name: str, label: Callable[..., str], results: list[Any] | None = None
    ) -> None:
        """Replaces `owner.name` by itself with a span around it; results are kept where a list is given."""
        original = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.span(label(*args, **kwargs)):
                result = original(*args, **kwargs)
            if results is not None:
                results.extend(result)
            return result

        setattr(owner, name, timed)


def profile(
    landing: Path, out: Path, *, as_of: date | None, functions: bool, kept: Path | None
) -> None:
    """Refreshes in this process, prints the tables, and keeps the parts' wall seconds as JSON in `kept`."""
    watch = Stopwatch()
    nodes: list[Any] = []
    profiler = Profiler(interval=INTERVAL)
    with watch.span("whole refresh"):
        with watch.span("imports"):
            from dagster_project.policy import load_policy
            from dagster_project.refresh import refresh
            from dagster_project.settings import load_settings, share_settings

            settings = load_settings(None, {"landing": landing, "out": out, "as_of": as_of})
            share_settings(settings)
        with watch.span("loading the graph"):
            _instrument(watch, nodes)
        # a refresh imports both where it first needs them; here apart, so that they can be told apart
        with watch.span("imports of dbt"):
            import dbt.adapters.duckdb.connections
            import dbt.cli.main  # noqa: F401
        with watch.span("imports of great_expectations"):
            import great_expectations  # noqa: F401
        with watch.span("refresh()"), profiler if functions else nullcontext():
            outcome = refresh(settings, load_policy(settings.policy))
    console = Console()
    console.print(f"{outcome.status} {outcome.error}")
    console.print(_spans_table(watch))
    console.print(_nodes_table(nodes))
    if kept is not None:
        if outcome.status != "published":
            raise SystemExit(f"{outcome.status} {outcome.error}: nothing to say of its seconds")
        kept.write_text(json.dumps(parts(watch, outcome.steps)), encoding="utf-8")
    if functions:
        console.print(
            profiler.output_text(color=console.is_terminal), markup=False, highlight=False
        )


def parts(watch: Stopwatch, steps: Mapping[str, float]) -> dict[str, float]:
    """Wall seconds of parts that do not overlap; what no span holds is named as such.

    Args:
        watch: the spans.
        steps: seconds of Dagster's steps.
    """
    wall = {name: seconds for name, (seconds, _) in watch.spans.items()}
    shown = {words: wall[name] for name, words in BEFORE.items()}
    inside = {
        words: sum(seconds for span, seconds in wall.items() if span.startswith(name))
        for name, words in INSIDE.items()
    }
    in_steps = sum(steps.values())
    return (
        shown
        | inside
        | {
            "in the steps beside these: results of the tests, Dagster's events": in_steps
            - sum(inside.values()),
            "around the steps: Dagster's instance and run, check of the files, live release": wall[
                "refresh()"
            ]
            - in_steps,
            "all": wall["whole refresh"],
        }
    )


def _instrument(watch: Stopwatch, nodes: list[Any]) -> None:
    """Spans around the parts of each step, which the steps look up in their modules when they run."""
    from dagster_project import definitions
    from dagster_project.lib import landing as lib_landing
    from dagster_project.lib.expectations import gate
    from dagster_project.lib.warehouse import dbt_project, release, run_inputs

    definitions.defs()
    from dagster_project.defs.exports import assets as export_assets
    from dagster_project.defs.sources import assets as source_assets

    for module, function in (
        (run_inputs, "normalise_identifiers"),
        (source_assets, "land_everything"),
        (source_assets, "prepare_raw_schema"),
        (gate, "run_gate"),
        (export_assets, "publish_release"),
        (release, "write_marts"),
        (release, "write_database"),
        (release, "write_audiences"),
        (release, "publish"),
    ):
        watch.wrap(module, function, lambda *_, name=function, **__: name)
    watch.wrap(lib_landing, "land", lambda delivered, *_, **__: f"land {delivered.relative_path}")
    watch.wrap(
        dbt_project, "build", lambda selection, **_: f"dbt build {' '.join(selection)[:40]}", nodes
    )


def _spans_table(watch: Stopwatch) -> Table:
    table = Table("part (nested parts count in both)", title="Seconds of one refresh")
    table.add_column("wall", justify="right")
    table.add_column("CPU", justify="right")
    for name, (wall, cpu) in watch.spans.items():
        table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}")
    return table


def _nodes_table(nodes: list[Any]) -> Table:
    """The slowest dbt nodes, and the sum of each kind."""
    table = Table("dbt node", title=f"{len(nodes)} dbt nodes (they run two at a time)")
    table.add_column("seconds", justify="right")
    for node in sorted(nodes, key=lambda node: -node.seconds)[:SHOWN_NODES]:
        table.add_row(node.unique_id, f"{node.seconds:.2f}")
    kinds: dict[str, list[float]] = {}
    for node in nodes:
        kinds.setdefault(node.unique_id.split(".")[0], []).append(node.seconds)
    for kind, seconds in kinds.items():
        table.add_row(f"all of {len(seconds)} {kind} nodes", f"{sum(seconds):.2f}")
    return table


def main() -> None:
    """Profiles one refresh into a fresh or kept output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--json", type=Path, help="keep the parts' seconds in this file")
    parser.add_argument(
        "--functions",
        action="store_true",
        help="Python functions of the main thread too, by sampling",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    profile(
        options.landing,
        options.out,
        as_of=options.as_of,
        functions=options.functions,
        kept=options.json,
    )


if __name__ == "__main__":
    main()
