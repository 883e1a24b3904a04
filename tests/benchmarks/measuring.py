"""Runs a command as a child process and says what it took, its own children included.

`os.wait4` gives the kernel's account of one child and of those that it waited for. What it did not wait
for (Spark's Java process) and the disk in use are only seen by looking, so psutil looks while it runs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import psutil

LOOK_SECONDS = 0.3
# A process is seen with its parent's memory between fork and exec.
SETTLED_SECONDS = 1.0
LIMIT_SECONDS = 3 * 3_600
MEGABYTE = 1_000_000

P = ParamSpec("P")
R = TypeVar("R")


class StageError(Exception):
    """A measured command failed, or its result is not what it must be: no figure can be given."""


@dataclass(frozen=True)
class Measured:
    """Seconds of wall clock and of CPU (user and system), peaks of resident memory and of disk in MB.

    Memory and disk count 1,000,000 bytes as one MB.
    """

    wall: float
    cpu: float
    peak_mb: float
    peak_disk_mb: float = 0.0


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    writes: Path | None = None,
) -> Measured:
    """Runs the command in `folder` to its end; what it prints goes to the file `log`.

    Args:
        writes: the folder whose size is watched.

    Raises:
        StageError: it ended with another exit code than 0, or not within LIMIT_SECONDS.
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
        watch = _Watch(child.pid, writes)
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
    watch.end()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise StageError(f"{' '.join(arguments)} ended with {child.returncode}:\n{tail}")
    return Measured(
        wall=wall,
        cpu=max(usage.ru_utime + usage.ru_stime, watch.cpu),
        peak_mb=max(usage.ru_maxrss * 1_024, watch.peak_bytes) / MEGABYTE,
        peak_disk_mb=watch.peak_disk_bytes / MEGABYTE,
    )


def apart(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Calls the function in a process of its own.

    The kernel's peak of a child begins at what its parent held when it made it, so that work in this process
    would show as memory of what is measured next.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def median(runs: Sequence[Measured]) -> Measured:
    """Median seconds; the highest of the peaks."""
    return Measured(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
        peak_disk_mb=max(run.peak_disk_mb for run in runs),
    )


def bytes_below(folder: Path) -> int:
    """Bytes of all files; a file with several names counts once, one that vanishes meanwhile not at all."""
    sizes: dict[tuple[int, int], int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found = os.lstat(os.path.join(parent, name))  # noqa: PTH118 (many files, often)
                sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())


class _Watch(threading.Thread):
    """Looks at a process and its descendants, and at the disk that they fill, until it is ended."""

    def __init__(self, pid: int, writes: Path | None) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.peak_disk_bytes = 0
        self._pid = pid
        self._writes = writes
        self._seconds: dict[int, float] = {}
        self._over = threading.Event()

    @property
    def cpu(self) -> float:
        """Seconds of all processes as last seen."""
        return sum(self._seconds.values())

    def run(self) -> None:
        started = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            with suppress(psutil.NoSuchProcess):
                self._look(psutil.Process(self._pid), started)
            if self._writes is not None:
                self.peak_disk_bytes = max(self.peak_disk_bytes, bytes_below(self._writes))

    def end(self) -> None:
        """Stops looking."""
        self._over.set()
        self.join()

    def _look(self, child: psutil.Process, started: float) -> None:
        resident = 0
        for process in (child, *child.children(recursive=True)):
            if time.monotonic() - started > LIMIT_SECONDS:
                process.kill()
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                self._seconds[process.pid] = times.user + times.system
                if time.time() - process.create_time() > SETTLED_SECONDS:
                    resident += process.memory_info().rss
        self.peak_bytes = max(self.peak_bytes, resident)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The process's environment without settings of the product, which would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAM_")}
    return kept | dict(extra)
