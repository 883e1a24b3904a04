"""Where each second of a small run goes: the imports by package, and the parts of the refresh.

Belongs here: two looks at the demo company's refresh, each a process of its own. `-X importtime` says what each
module's own code took to run (its imports not included); `profile_refresh.py` says what each part took.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from tests.benchmarks.measuring import apart
from tests.benchmarks.workshop import Workshop

SHOWN_PACKAGES = 14
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)")


def startup_stage(shop: Workshop) -> None:
    """Keeps the seconds of imports by package and of the parts of a refresh of the demo company."""
    from dagster_project.demo import generate
    from dagster_project.lib.warehouse.dbt_project import parsed_folder

    landing = shop.fresh("demo_landing")
    apart(generate, landing)
    apart(parsed_folder)
    command = ("refresh", "--landing", landing, "--out", shop.fresh("demo_out"))
    program = "from dagster_project.cli import app; app()"
    shop.run("import time", *(sys.executable, "-X", "importtime", "-c", program), *command)
    printed = shop.log_of("import time").read_text(encoding="utf-8")
    parts = shop.scratch / "parts.json"
    shop.run(
        "parts of a refresh",
        *(sys.executable, "-m", "tests.benchmarks.profile_refresh", "--landing", landing),
        *("--out", shop.fresh("demo_out"), "--json", parts),
    )
    shop.book.seconds = {
        "imports": largest(import_seconds(printed), SHOWN_PACKAGES),
        "parts": _parts(parts),
    }
    shop.book.write()


def import_seconds(printed: str) -> dict[str, float]:
    """Seconds of the modules' own code by top package, from what `python -X importtime` printed."""
    seconds: dict[str, float] = defaultdict(float)
    for microseconds, module in _LINE.findall(printed):
        package = module.partition(".")[0]
        name = "Python's own" if package.lstrip("_") in _own_modules() else package
        seconds[name] += int(microseconds) / 1_000_000
    return dict(seconds)


def largest(seconds: dict[str, float], count: int) -> dict[str, float]:
    """The largest ones in order, the sum of the others, and the sum of all."""
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    shown = dict(ordered[:count])
    if others := ordered[count:]:
        shown[f"{len(others)} other packages"] = sum(value for _, value in others)
    return shown | {"all imports": sum(seconds.values())}


def _own_modules() -> frozenset[str]:
    return frozenset(name.lstrip("_") for name in sys.stdlib_module_names)


def _parts(path: Path) -> dict[str, float]:
    parts: dict[str, float] = json.loads(path.read_bytes())
    return parts
