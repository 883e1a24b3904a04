"""Writes the marts as Parquet, in key order, the same bytes on any number of threads."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.lib.release.bounds import follow_limits
from dagster_project.lib.release.content import content_sha256
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parted import PartWriter
from dagster_project.lib.release.parts import PartStore, Slice
from dagster_project.lib.release.sorted_file import write_sorted

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MartFile:
    """A written mart; `sha256` is of its content in key order, not of the file's bytes.

    `slices` are those of a mart that was written by part.
    """

    name: str
    rows: int
    sha256: str
    path: Path
    slices: tuple[Slice, ...] = ()


def write_marts(
    connection: duckdb.DuckDBPyConnection,
    *,
    marts: Sequence[Mart],
    folder: Path,
    parts: Path | None = None,
) -> list[MartFile]:
    """Writes `<folder>/<mart>.parquet` for each mart, sorted by its key.

    The key must be unique: ties would leave the order of rows to the engine, and with it the bytes.

    Args:
        connection: to the warehouse; nothing is written to it.
        marts: the marts, each a table or view `<schema>.<name>`.
        folder: made if it is not there.
        parts: keeps the parts of this release for the next one; None keeps nothing.

    Raises:
        MartError: a mart is missing, lacks a key column, or its key is null or repeated.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[MartFile] = []
    with ExitStack() as stack:
        reader = stack.enter_context(duckdb.connect(config={"preserve_insertion_order": True}))
        follow_limits(connection, reader)
        if parts is None:
            parts = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        for mart in marts:
            path = folder / f"{mart.name}.parquet"
            if mart.parts:
                store = PartStore(parts / mart.name)
                writer = PartWriter(connection, mart, reader=reader, store=store)
                rows, sha256, found = writer.write(path)
            else:
                write_sorted(connection, mart, path, reader=reader)
                (rows, sha256), found = content_sha256(reader, path), []
            written.append(MartFile(mart.name, rows, sha256, path, tuple(found)))
            logger.debug("mart %s: %d rows", mart.name, rows)
    return written
