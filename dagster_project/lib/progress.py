"""What a long command says while it works: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class _Said(logging.Handler):
    """Shows each message of the project's own loggers."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console
        self.status = console.status("starting") if console.is_terminal else None

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.console.print(message, style="yellow", markup=False, highlight=False)
        elif self.status is not None:
            self.status.update(message)
        else:
            self.console.print(message, markup=False, highlight=False)


@contextmanager
def shown(console: Console, *, quiet: bool = False) -> Iterator[None]:
    """Shows the progress of what runs inside, on the console (standard error)."""
    logger = logging.getLogger("dagster_project")
    if quiet:
        yield
        return
    handler = _Said(console)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        if handler.status is None:
            yield
        else:
            with handler.status:
                yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
