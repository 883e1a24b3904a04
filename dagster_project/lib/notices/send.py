"""Delivers a message to addresses (webhook, Slack, e-mail, ...) through apprise, within a bounded time.

An address is a secret: nothing here returns, logs or raises one, nor anything that apprise says of it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.notices.message import Message

SECONDS = 10.0
REQUEST_SECONDS = 4.0
STATUS = re.compile(r"\berror=(\d{3})\b")

# Without a handler of its own Python would print what it does not propagate.
logging.getLogger("apprise").addHandler(logging.NullHandler())


class NoticeError(Exception):
    """Nothing can be delivered; one line with the remedy."""


@dataclass(frozen=True)
class Undelivered:
    """One address that did not take the message: its place among them from 1, its service, and why."""

    place: int
    service: str
    reason: str


@dataclass
class _Attempt:
    """One address being tried, in a thread of its own that nobody waits for beyond the deadline."""

    place: int
    address: str = field(repr=False)
    service: str = "unknown"
    reason: str = "refused, or not reached"
    delivered: bool = False

    def run(self, message: Message, apprise: Any) -> None:
        try:
            plugin = apprise.Apprise.instantiate(
                self.address,
                # no picture from elsewhere, no name of the library
                asset=apprise.AppriseAsset(app_id="Account tiering", image_url_mask=""),
            )
            if plugin is None:
                self.reason = "no address that apprise can read"
                return
            self.service = str(plugin.service_name)
            plugin.socket_connect_timeout = plugin.socket_read_timeout = REQUEST_SECONDS
            kind = apprise.NotifyType.FAILURE if message.is_failure else apprise.NotifyType.INFO
            delivered = plugin.notify(
                body=message.body,
                title=message.title,
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
            self.delivered = bool(delivered)
        except Exception as error:
            # a plugin's own error text may hold the address
            self.reason = type(error).__name__


def deliver(
    message: Message, addresses: Sequence[str], *, seconds: float = SECONDS
) -> list[Undelivered]:
    """Tries every address once, all at the same time; says which did not take the message.

    Raises:
        NoticeError: apprise is not installed.
    """
    try:
        import apprise
    except ImportError:
        raise NoticeError("apprise is not installed; install the extra `notices`") from None
    attempts = [_Attempt(place, address) for place, address in enumerate(addresses, start=1)]
    with _heard() as heard:
        threads = [
            threading.Thread(
                target=attempt.run,
                args=(message, apprise),
                name=f"notice {attempt.place}",
                daemon=True,
            )
            for attempt in attempts
        ]
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [
            Undelivered(
                attempt.place,
                attempt.service,
                _reason(attempt, thread, heard, seconds),
            )
            for attempt, thread in zip(attempts, threads, strict=True)
            if not attempt.delivered
        ]


def _reason(
    attempt: _Attempt, thread: threading.Thread, heard: dict[str | None, str], seconds: float
) -> str:
    if thread.is_alive():
        return f"no answer within {seconds:.0f} s"
    return f"HTTP {heard[thread.name]}" if thread.name in heard else attempt.reason


class _StatusOnly(logging.Handler):
    """Of what apprise logs only a refused request's status is kept, by thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: dict[str | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if found := STATUS.search(record.getMessage()):
            self.heard[record.threadName] = found[1]


@contextmanager
def _heard() -> Iterator[dict[str | None, str]]:
    """Keeps apprise's log, which holds tokens, from every handler but ours; it stays quiet afterwards too."""
    logger, handler = logging.getLogger("apprise"), _StatusOnly()
    logger.propagate = False
    logger.addHandler(handler)
    # the paths of requests, which a late answer may still log
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    try:
        yield handler.heard
    finally:
        logger.removeHandler(handler)
