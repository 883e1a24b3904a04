"""Readers of all places that a release goes to, and what they must have seen: whole releases, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tests.pipeline.reader_processes import reading, told_by

SCRIPT = Path(__file__).with_name("reader.py")
# A reader that waits for a publication would wait for its loading of all marts, and hold its locks as long.
WAIT_SECONDS = 10

Look = list[list[Any]]


class Readers:
    """Readers at work, and the releases that there were for them to see."""

    def __init__(
        self,
        queries: Mapping[str, str],
        *,
        published: Path,
        store: Path,
        url: str,
        folder: Path,
        pause: float = 0.1,
    ) -> None:
        """`queries` and `pause` are those of reader.py; `folder` is for what they need."""
        self._pause = pause
        self._queries = queries
        self._published = published
        self._folder = folder
        self._places = {
            "Parquet by current.json": ("pointer", str(published)),
            "marts.duckdb": ("database", str(published / "marts.duckdb")),
            "object store": ("pointer", str(store)),
            "PostgreSQL, one statement": ("statement", url),
            "PostgreSQL, one transaction": ("transaction", url),
        }
        self._releases: list[Look] = []

    def note_live(self) -> None:
        """Remembers what the live release's own files say; to be called after each publication."""
        current = json.loads((self._published / "current.json").read_bytes())
        marts = self._published / current["path"] / "marts"
        with duckdb.connect() as connection:
            look = [
                [mart, *row]
                for mart, query in self._queries.items()
                for row in connection.execute(query.format(f"'{marts}/{mart}.parquet'")).fetchall()
            ]
        self._releases.append(sorted(look))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """They look from before the block to after it; then what they saw is judged."""
        stop, queries = self._folder / "stop", self._folder / "queries.json"
        queries.write_text(json.dumps(dict(self._queries)))
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(
                    reading(
                        *(str(SCRIPT), kind, place, str(queries), str(stop), str(self._pause)),
                        stop=stop,
                    )
                )
                for name, (kind, place) in self._places.items()
            }
            yield
            stop.touch()
            told = {name: told_by(process, seconds=120) for name, process in processes.items()}
        for name, said in told.items():
            self._judge(name, said)

    def _judge(self, name: str, told: Mapping[str, Any]) -> None:
        mixed = [look for look in told["seen"] if look not in self._releases]
        assert not mixed, f"{name}: no release is {_difference(mixed[0], self._releases)}"
        assert told["last"] == self._releases[-1], f"{name}: the last look is of the last release"
        expected = min(6, len(self._releases))
        seen = len(told["seen"])
        assert seen >= expected, f"{name}: {told['looks']} looks saw {seen} releases"
        assert told["slowest"] < WAIT_SECONDS, name


def _difference(look: Look, releases: Sequence[Look]) -> Look:
    """What the look has and the release that is most like it has not."""
    return min(([row for row in look if row not in release] for release in releases), key=len)
