"""The rows of an audience at a destination: now, as sent before, and what differs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import Destination
from dagster_project.lib.audiences.records import SENT
from dagster_project.lib.extracts.quoting import identifier, literal


class Queries:
    """SQL over the destination's export table and over what it was sent before.

    `current`, `retained` and `sent` have audience, key and the file's columns; `full`, `added`,
    `removed` and `upserted` have the destination's `columns`, in the order of the file's rows.
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
        self._key = identifier(destination.key)
        self._header = _listed(destination.columns)
        # Of a destination that matches rows: what it matches by, and what else a row says, once.
        self._compared_columns = [
            name for name in destination.columns if name not in destination.not_compared
        ]
        self._compared = _listed(self._compared_columns)
        self._header_once = ", ".join(
            f"max({identifier(name)}) as {identifier(name)}"
            if name in destination.not_compared
            else identifier(name)
            for name in destination.columns
        )
        own = [name for name in destination.columns if name not in ("audience", destination.key)]
        self._columns = _listed(("audience", destination.key, *own))
        self._sent = self._sent_before(previous)

    def current(self, audience: str) -> str:
        """The members of the audience that may be addressed."""
        return f"select {self._columns} from {self._table} where audience = {literal(audience)}"

    def before(self, audience: str) -> str:
        """What the destination holds of the audience."""
        return f"select {self._columns} from {self._sent} where audience = {literal(audience)}"

    def full(self, audience: str) -> str:
        """The whole list, by key; a destination that matches rows gets no row twice."""
        current = self.current(audience)
        if self._destination.differences == "row":
            return (
                f"select {self._header_once} from ({current}) group by {self._compared} "
                f"order by min({self._key})"
            )
        return f"select {self._header} from ({current}) order by {self._key}"

    def added(self, audience: str) -> str:
        """What the destination lacks once the rows to be removed were removed."""
        current, before = self.current(audience), self.before(audience)
        if self._destination.differences != "row":
            return self._difference(current, before)
        lacking = self._difference_of_rows(current, before)
        return self._once(f"{lacking} union all {self._taken_along(audience)}")

    def added_again(self, audience: str) -> str:
        """Members that stay, and that the rows to be removed would take along."""
        return self._once(self._taken_along(audience))

    def removed(self, audience: str) -> str:
        """What the destination holds and may hold no longer, as it was sent."""
        return self._difference(self.before(audience), self.current(audience))

    def retained(self, audience: str) -> str:
        """What the destination still holds of the audience after a removal."""
        before, now = self.before(audience), self.current(audience)
        if self._destination.differences == "row":
            # Who stands for a row may have changed; the row is still there.
            same = _same("now", "before", self._compared_columns)
            return f"select now.* from ({now}) as now semi join ({before}) as before on {same}"
        return f"select * from ({before}) semi join ({now}) as now using ({self._key})"

    def upserted(self, audience: str) -> str:
        """Rows that are not as they were sent last, and rows to be cleared."""
        cleared = ", ".join(
            identifier(name)
            if name in self._destination.kept_when_cleared
            else f"{self._cleared(name)} as {identifier(name)}"
            for name in self._destination.columns
        )
        before, now = self.before(audience), self.current(audience)
        gone = f"select * from ({before}) anti join ({now}) as now using ({self._key})"
        if self._destination.held is not None:
            held = f"exports.{identifier(self._destination.held)}"
            gone = f"select * from ({gone}) semi join {held} as held using ({self._key})"
        return (
            f"select {self._header} from ("
            f"select {self._key} as sent_key, {self._header} from ({self._changed(audience)}) "
            f"union all select {self._key} as sent_key, {cleared} from ({gone})"
            ") order by sent_key"
        )

    def sent(self, audience: str) -> str:
        """What the destination holds after an upsert: of each row what was sent last."""
        before, changed = self.before(audience), self._changed(audience)
        return (
            f"select * from ({changed}) union all select * from ({before}) "
            f"semi join ({self.current(audience)}) as now using ({self._key}) "
            f"anti join ({changed}) as changed using ({self._key})"
        )

    def left_out(self, audience: str) -> str:
        """Members that fit the audience and may not be addressed: reason, count."""
        members = f"exports.{identifier(self._destination.members)}"
        return (
            f"select ineligible_reason, count(*) from {members} "
            f"where audience = {literal(audience)} and ineligible_reason is not null "
            "group by all order by all"
        )

    def audiences_sent(self) -> str:
        """The audiences of which the destination holds something."""
        return f"select distinct audience from {self._sent} order by audience"

    def audiences_known(self) -> str:
        """The audiences of which it holds something, or is to hold something."""
        return (
            f"select audience from {self._sent} union select audience from {self._table} "
            "order by audience"
        )

    def copy(self, query: str, target: Path) -> None:
        """Writes the rows of the query as Parquet, by audience and key."""
        self._connection.execute(
            f"copy (select * from ({query}) order by audience, {self._key}) "
            f"to {literal(target)} (format parquet, compression zstd)"
        )

    def copy_held(self, target: Path) -> None:
        """Writes as Parquet the keys that the destination has, whether it was sent them or not."""
        held = f"exports.{identifier(str(self._destination.held))}"
        self._connection.execute(
            f"copy (select distinct {self._key} from {held} order by all) "
            f"to {literal(target)} (format parquet, compression zstd)"
        )

    def _cleared(self, column: str) -> str:
        kinds = self._connection.execute(f"describe {self.current('')}").fetchall()
        kind = next(kind for name, kind, *_ in kinds if name == column)
        return f"cast({literal(self._destination.cleared_cell(column))} as {kind})"

    def _changed(self, audience: str) -> str:
        compared = [
            name
            for name in self._destination.columns
            if name not in self._destination.not_compared and name != self._destination.key
        ]
        same = _same("now", "before", (self._destination.key, *compared))
        return (
            f"select now.* from ({self.current(audience)}) as now "
            f"anti join ({self.before(audience)}) as before on {same}"
        )

    def _difference(self, rows: str, other: str) -> str:
        if self._destination.differences == "row":
            return self._once(self._difference_of_rows(rows, other))
        return (
            f"select {self._header} from ({rows}) anti join ({other}) as other "
            f"using ({self._key}) order by {self._key}"
        )

    def _difference_of_rows(self, rows: str, other: str) -> str:
        # By what the file says, not by key: of two members that look alike to the
        # destination, the one that leaves must not take the other with it.
        same = _same("rows", "other", self._compared_columns)
        return f"select rows.* from ({rows}) as rows anti join ({other}) as other on {same}"

    def _taken_along(self, audience: str) -> str:
        gone = self._difference_of_rows(self.before(audience), self.current(audience))
        kept = self.retained(audience)
        nobody = f"select * from ({kept}) where false"
        sharing = (
            f"select kept.* from ({kept}) as kept semi join ({gone}) as gone on "
            + " and ".join(f"kept.{name} = gone.{name}" for name in map(identifier, names))
            for names in self._destination.identified_by
        )
        return " union all ".join((nobody, *sharing))

    def _once(self, rows: str) -> str:
        return f"select {self._header_once} from ({rows}) group by {self._compared} order by all"

    def _sent_before(self, previous: Path | None) -> str:
        sent = previous / SENT / f"{self._destination.name}.parquet" if previous else None
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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def _same(one: str, other: str, names: Iterable[str]) -> str:
    """Equal in all columns, an empty one like another."""
    quoted = [identifier(name) for name in names]
    return " and ".join(f"{one}.{name} is not distinct from {other}.{name}" for name in quoted)
