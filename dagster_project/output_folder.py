"""The folders that a run writes into, and who may look into them.

What may hold personal data lies in folders that only their owner opens: raw rows, the warehouse, runs, Dagster's
storage, and each run's folder in the temporary directory (`lib/run_folder.py`). The files in them are made by
engines that give them no mode of their own, so the folder keeps them.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.settings import Settings, SettingsError

PRIVATE = 0o700


def private_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders that only their owner opens."""
    return (settings.raw, settings.warehouse.parent, settings.runs, settings.dagster_home)


def make_folders(settings: Settings) -> None:
    """Makes what is absent, and closes what an older version or another program left open.

    Raises:
        SettingsError: the output folder or the temporary directory cannot be written to.
    """
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        for folder in private_folders(settings):
            folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            if folder.stat().st_mode & 0o077:
                folder.chmod(PRIVATE)
    except OSError as error:
        raise SettingsError(
            f"--out {settings.out}: {error.strerror}; give a folder that can be written to"
        ) from None
    if settings.temporary_directory is not None:
        try:
            # not its parents: where a disk is not mounted, or misspelt, another one would be filled
            settings.temporary_directory.mkdir(exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"temporary_directory {settings.temporary_directory}: {error.strerror}; "
                "give a folder that can be written to, on a disk that is there"
            ) from None
