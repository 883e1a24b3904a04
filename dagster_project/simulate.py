"""`kam simulate`: another policy on the kept tables of the live release; nothing is published.

Belongs here: the lock, the folder that is swept, showing. What is built and compared: `lib/simulation/`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.commands import Call, ExitCode, live_release
from dagster_project.lib.progress import shown as progress
from dagster_project.lib.run_folder import make_scratch, remove_scratch
from dagster_project.output_folder import make_folders
from dagster_project.refresh import RunInProgressError
from dagster_project.settings import Settings, SettingsError, disable_telemetry

if TYPE_CHECKING:
    from dagster_project.lib.simulation.compared import Comparison

FOLDER_PREFIX = "simulate-"


def run_simulate(call: Call) -> ExitCode:
    """The command's body.

    Raises:
        SettingsError: nothing is published, or what is kept cannot answer.
        RunInProgressError: a run works in the output folder.
    """
    from dagster_project.lib.shown_simulation import simulation
    from dagster_project.lib.simulation.compared import write_moves

    started = time.monotonic()
    with progress(call.errors, quiet=call.as_json):
        found = compared(call)
    seconds = round(time.monotonic() - started, 1)
    moves: Path | None = call.flags.get("moves")
    if moves is not None:
        try:
            write_moves(found.moves, moves)
        except OSError as error:
            raise SettingsError(f"--moves {moves}: {error.strerror}; name another file") from None
    if call.as_json:
        call.answer({"seconds": seconds, **found.model_dump(mode="json")})
        return ExitCode.DONE
    simulation(call.console, found)
    if moves is not None:
        call.console.print(f"all moves are in {moves}", highlight=False, soft_wrap=True)
    call.console.print(f"simulated in {seconds:.1f} s; nothing published", highlight=False)
    return ExitCode.DONE


@contextmanager
def _scratch(folder: Path, settings: Settings) -> Iterator[None]:
    make_scratch(folder, settings.temporary_directory)
    try:
        yield
    finally:
        remove_scratch(folder)


def compared(call: Call) -> Comparison:
    """The live release's tiers beside those of the call's policy."""
    import duckdb
    from filelock import FileLock, Timeout

    from dagster_project.lib.simulation.compared import compare
    from dagster_project.lib.simulation.workspace import simulate

    settings = call.settings
    if settings.engine != "duckdb":
        raise SettingsError(
            f"engine {settings.engine}: simulate starts from tables that a refresh keeps in DuckDB; "
            "refresh with engine duckdb into another output folder, and simulate there"
        )
    live = live_release(settings)
    in_progress = RunInProgressError(
        f"another run works in {settings.out}; simulate once it has ended"
    )
    disable_telemetry()
    make_folders(settings)
    try:
        with (
            FileLock(settings.out / ".lock").acquire(timeout=0),
            tempfile.TemporaryDirectory(dir=settings.runs, prefix=FOLDER_PREFIX) as folder,
            _scratch(Path(folder), settings),
        ):
            simulated = simulate(settings, call.policy, live, folder=Path(folder))
            return compare(
                simulated,
                warehouse=settings.warehouse,
                release_id=live.release_id,
                currency=live.manifest.reporting_currency,
                as_of=live.manifest.as_of,
            )
    except (Timeout, duckdb.IOException) as error:
        if isinstance(error, Timeout) or "lock" in str(error):
            raise in_progress from None
        raise
