"""The rows of an audience at a destination: now, as sent before, and what differs."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import Destination
from dagster_project.lib.extracts.quoting import identifier, literal


class Queries:
    """SQL over the destination's export table and over what it was sent before.

    `current` and `retained` have audience, account_key and the file's columns; `full`, `added` and
    `removed` have the file's columns, in the order of the file's rows.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        destination: Destination,
        previous: Path | None,
    ) -> None:
        self._connection = connection
        self._destination = destination
        self._table = f"exports.{identifier(destination.table)}"
        self._header = ", ".join(identifier(column) for column in destination.header)
        own = [name for name in destination.header if name not in ("audience", "account_key")]
        self._columns = ", ".join(identifier(name) for name in ("audience", "account_key", *own))
        self._sent = self._sent_before(previous)

    def current(self, audience: str) -> str:
        """The accounts of the audience that may be addressed."""
        return f"select {self._columns} from {self._table} where audience = {literal(audience)}"

    def full(self, audience: str) -> str:
        """The whole list, by account."""
        return f"select {self._header} from ({self.current(audience)}) order by account_key"

    def added(self, audience: str) -> str:
        """What the destination lacks."""
        return self._difference(self.current(audience), self._before(audience))

    def removed(self, audience: str) -> str:
        """What the destination holds and may hold no longer, as it was sent."""
        return self._difference(self._before(audience), self.current(audience))

    def retained(self, audience: str) -> str:
        """What the destination still holds of the audience after a removal."""
        before, now = self._before(audience), self.current(audience)
        if self._destination.differences == "row":
            return f"{before} intersect {now}"
        return f"select * from ({before}) semi join ({now}) as now using (account_key)"

    def left_out(self, audience: str) -> str:
        """Accounts that fit the audience and may not be addressed: reason, count."""
        members = f"exports.{identifier(self._destination.members)}"
        return (
            f"select ineligible_reason, count(*) from {members} "
            f"where audience = {literal(audience)} and ineligible_reason is not null "
            "group by all order by all"
        )

    def copy(self, query: str, target: Path) -> None:
        """Writes the rows of the query as Parquet, by audience and account."""
        self._connection.execute(
            f"copy (select * from ({query}) order by audience, account_key) "
            f"to {literal(target)} (format parquet, compression zstd)"
        )

    def _difference(self, rows: str, other: str) -> str:
        if self._destination.differences == "row":
            # By what the file says, not by account: of two accounts that look alike to the
            # destination, the one that leaves must not take the other with it.
            return (
                f"select {self._header} from ({rows}) except select {self._header} from ({other}) "
                "order by all"
            )
        return (
            f"select {self._header} from ({rows}) anti join ({other}) as other using (account_key) "
            "order by account_key"
        )

    def _before(self, audience: str) -> str:
        return f"select {self._columns} from {self._sent} where audience = {literal(audience)}"

    def _sent_before(self, previous: Path | None) -> str:
        sent = previous / "sent" / f"{self._destination.name}.parquet" if previous else None
        if sent is None or not sent.is_file():
            return f"(select * from {self._table} limit 0)"
        source = f"read_parquet({literal(sent)})"
        described = self._connection.execute(f"describe select * from {source}").fetchall()
        held = {str(row[0]) for row in described}
        kinds = self._connection.execute(f"describe select * from {self._table}").fetchall()
        # An older release may lack a column that the header has today.
        shown = ", ".join(
            f"cast({identifier(name) if name in held else 'null'} as {kind}) as {identifier(name)}"
            for name, kind, *_ in kinds
        )
        return f"(select {shown} from {source})"
