"""Servers that the tests start for themselves on 127.0.0.1: PostgreSQL, and an object store by S3's protocol."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

# With characters that a URL has to escape: they must reach the server, and no message.
PASSWORD = "s3:cret/#pass word"
USER = "kam"


def programs() -> Path:
    """The folder of PostgreSQL's programs; without one CI fails, and another machine skips."""
    found = shutil.which("initdb")
    places = [Path(found)] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not places:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is absent: install the package postgresql")
        pytest.skip("PostgreSQL is absent: install the package postgresql")
    return places[-1].resolve().parent


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of its own."""

    port: int
    folder: Path

    def url(self, *, database: str = "postgres", user: str = USER, password: str = PASSWORD) -> str:
        said = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{said}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of PostgreSQL's programs, which refuse to be run by root."""
        path = str(programs() / program)
        as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        done = subprocess.run(
            [*as_other, path, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            cwd="/",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c fsync=off"
        )
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.data), "-o", options, "-w", "-l", log, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    @property
    def data(self) -> Path:
        return self.folder / "data"


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A server with a superuser `kam`, gone afterwards."""
    programs()
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(free_port(), folder)
        (folder / "password").write_text(PASSWORD + "\n")
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        server.run(
            "initdb", "-D", str(server.data), "-U", USER, "-A", "scram-sha-256", "-E", "UTF8",
            "--pwfile", str(folder / "password"), "--no-sync",
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def database(server: Server, name: str) -> Iterator[str]:
    """The URL of a database of its own."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database {name}")  # type: ignore[call-overload]
        yield server.url(database=name)
        connection.execute(f"drop database {name} with (force)")  # type: ignore[call-overload]
