"""Writes a mart from its parts: those that did not change, and those that have to be made."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from dagster_project.lib.release.content import Column, columns_of, parts_sha256, runs_sha256
from dagster_project.lib.release.joined import join_parquet
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parts import KeptPart, PartStore, Slice, fingerprint, slices
from dagster_project.lib.release.sorted_file import relation_of, unwritable, write_sorted

# Below, one sort of all takes less than the files of the parts. It decides by the rows alone, so
# that the same content has the same bytes.
PARTS_FROM_ROWS = 500_000

logger = logging.getLogger(__name__)


class PartWriter:
    """Writes one mart whose `parts` names a column."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        mart: Mart,
        *,
        reader: duckdb.DuckDBPyConnection,
        store: PartStore,
    ) -> None:
        """Take the warehouse, the mart, a connection that preserves order, and the kept parts."""
        self._connection = connection
        self._reader = reader
        self._mart = mart
        self._store = store

    def write(self, path: Path) -> tuple[int, str, list[Slice]]:
        """Writes the mart to `path` and its parts to the store.

        Returns:
            Rows, content hash, and the slices of which parts were kept; none of a small mart.
        """
        relation = relation_of(self._mart)
        try:
            columns = columns_of(self._connection, relation)
            found = slices(self._connection, relation, self._mart.parts, columns)
        except (duckdb.CatalogException, duckdb.BinderException, KeyError) as error:
            raise unwritable(self._mart, error) from None
        rows = sum(one.rows for one in found)
        is_small = rows < PARTS_FROM_ROWS
        parts = [] if is_small else self._parts(found, columns)
        if is_small:
            hashes = self._whole(found, path)
        else:
            join_parquet([self._store.path(part.fingerprint) for part in parts], path)
            hashes = [part.sha256 for part in parts]
        self._store.keep(parts)
        named = zip(found, hashes, strict=True)
        sha256 = parts_sha256(columns, ((one.value, one.rows, sha) for one, sha in named))
        return rows, sha256, [] if is_small else found

    def _whole(self, found: Sequence[Slice], path: Path) -> list[str]:
        write_sorted(self._connection, self._mart, path, reader=self._reader)
        return runs_sha256(self._reader, path, [one.rows for one in found])

    def _parts(self, found: Sequence[Slice], columns: Sequence[Column]) -> list[KeptPart]:
        """The part of each slice; those to be made at once on all threads, as hashing takes one."""
        names = [fingerprint(one, key=self._mart.key, columns=columns) for one in found]
        kept = {name: part for name in names if (part := self._store.found(name))}
        made = [(one, name) for one, name in zip(found, names, strict=True) if name not in kept]
        threads = self._connection.execute("select current_setting('threads')").fetchone()
        with ThreadPoolExecutor(max_workers=int(threads[0]) if threads else 1) as pool:
            kept |= {part.fingerprint: part for part in pool.map(lambda of: self._made(*of), made)}
        logger.debug("mart %s: %d parts, %d made", self._mart.name, len(names), len(made))
        return [kept[name] for name in names]

    def _made(self, one: Slice, name: str) -> KeptPart:
        draft = self._store.draft(name)
        with self._connection.cursor() as connection, self._reader.cursor() as reader:
            write_sorted(connection, self._mart, draft, reader=reader, where=one.condition)
            (sha256,) = runs_sha256(reader, draft, [one.rows])
        return self._store.add(name, sha256=sha256)
