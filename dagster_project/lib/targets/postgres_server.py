"""The way to a PostgreSQL server: connecting, locks, and errors that tell no secret."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from dagster_project.lib.targets.errors import TargetError

CONNECT_SECONDS = 10
# Below the server's deadlock_timeout (1 s): whoever waits for us is never the one that is cancelled.
LOCK_MILLISECONDS = 400
LOCK_SECONDS = 60
# A server that vanished (a firewall that forgot the connection, a machine without power) is noticed after as long.
LOST_SECONDS = 60
KEPT_ALIVE = {
    "keepalives_idle": LOST_SECONDS // 2,
    "keepalives_interval": LOST_SECONDS // 6,
    "keepalives_count": 3,
    "tcp_user_timeout": LOST_SECONDS * 1000,
}

logger = logging.getLogger(__name__)


@contextmanager
def connected(url: str, *, variable: str) -> Iterator[Any]:
    """A connection in autocommit mode that waits for nothing without end; errors of the server become TargetError.

    Args:
        url: of the database, with its password; it appears in no message.
        variable: the environment variable that holds it, named in messages.
    """
    try:
        # installed with the extra `postgres` alone
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise TargetError(
            "postgres: psycopg is not installed; install the project's extra `postgres`"
        ) from None
    if not url.strip():
        raise TargetError(
            f"postgres: {variable} is not set; put postgresql://user:password@host:5432/database into it"
        )
    try:
        known = conninfo_to_dict(url)
    except psycopg.Error:
        raise TargetError(
            f"postgres: {variable} is no URL of a database; write postgresql://user:password@host:5432/database"
        ) from None
    password = str(known.get("password") or "")
    try:
        own = {name: value for name, value in KEPT_ALIVE.items() if name not in known}
        connection = psycopg.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name="kam", autocommit=True, **own
        )
    except psycopg.Error as error:
        raise TargetError(
            f"postgres: no connection ({_said(error, password)}); check the server, and the URL in {variable}"
        ) from None
    try:
        connection.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")
        yield connection
    except psycopg.errors.LockNotAvailable:
        raise TargetError(
            f"postgres: somebody's transaction has held tables or rows of the schema for {LOCK_SECONDS} s, and "
            "nothing was changed; end it (pg_stat_activity shows it), and refresh again"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise TargetError(
            f"postgres: {_said(error, password)}; the user of {variable} needs CREATE on the database, and "
            "must own the schema"
        ) from None
    except psycopg.Error as error:
        raise TargetError(
            f"postgres: {_said(error, password)}; the schema is as it was, and the next refresh tries again"
        ) from None
    finally:
        connection.close()


def take_turn(connection: Any, schema: str) -> None:
    """One publication into a schema at a time, from whatever machine; ends with the connection.

    Raises:
        TargetError: another one is at work.
    """
    digest = hashlib.sha256(f"account-tiering:{schema}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    (is_ours,) = connection.execute("select pg_try_advisory_lock(%s)", (number,)).fetchone()
    if not is_ours:
        raise TargetError(
            f"postgres: another run is writing the schema {schema}; refresh again when it has ended"
        )


def without_waiting(connection: Any, work: Callable[[], None]) -> None:
    """Does what needs tables for itself, giving way to readers again and again until none is there.

    A statement that waits for a table makes later readers wait behind it, hence the short waits.

    Raises:
        TargetError: somebody kept reading for a minute.
    """
    import psycopg

    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{LOCK_MILLISECONDS}ms'")
                work()
                connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            return
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > until:
                raise TargetError(
                    "postgres: a table must change its columns, and somebody has been reading it all the "
                    "time; refresh again when no long query runs"
                ) from None
            time.sleep(random.uniform(0.2, 1.0))


def _said(error: Exception, password: str) -> str:
    text = " ".join(str(error).split("\n")[0].split())
    for secret in {password, quote(password), quote(password, safe="")} - {""}:
        text = text.replace(secret, "***")
    return text
