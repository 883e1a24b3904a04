"""Runs a command as a child process and says what it took, its own children included.

`time` and `resource` of the standard library measure this process or all children so far; psutil samples.
`os.wait4` gives the kernel's account of exactly one child.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class StageError(Exception):
    """A measured command failed, or its result is not what it must be: no figure can be given."""


@dataclass(frozen=True)
class Measured:
    """Seconds of wall clock and of CPU (user and system), and the peak of resident memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Measured:
    """Runs the command in `folder` to its end; what it prints goes to the file `log`.

    Raises:
        StageError: it ended with another exit code than 0.
    """
    arguments = [str(part) for part in command]
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            arguments,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(environment or {}),
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise StageError(f"{' '.join(arguments)} ended with {child.returncode}:\n{tail}")
    return Measured(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024)


def median(runs: Sequence[Measured]) -> Measured:
    """Median seconds; the highest of the peaks."""
    return Measured(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
    )


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The process's environment without settings of the product, which would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAM_")}
    return kept | dict(extra)
