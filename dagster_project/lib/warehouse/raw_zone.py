"""The warehouse's `raw` schema: what a run is given, as views on the raw Parquet files and small tables.

The models read nothing else, so that the compiled project is the same for every company and every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lib.extracts.entities import Entity, load_entities
from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.phones import SCHEMA as PHONES
from dagster_project.lib.release.live import LiveRelease

DELIVERIES = pa.schema(
    [
        ("source_file", pa.string()),
        ("sha256", pa.string()),
        ("source_system", pa.string()),
        ("entity", pa.string()),
        ("profile", pa.string()),
        ("delivery_id", pa.int64()),
        ("delivery_order", pa.int64()),
        ("is_repeated", pa.bool_()),
        ("is_replaced", pa.bool_()),
        ("layout", pa.string()),
        ("extract_scope", pa.string()),
        ("extract_name", pa.string()),
        ("extract_rank", pa.int32()),
        ("rows_read", pa.int64()),
        ("rows_loaded", pa.int64()),
        ("rows_rejected", pa.int64()),
    ]
)
DELIVERY_MONTHS = pa.schema(
    [("delivery_id", pa.int64()), ("month_index", pa.int32()), ("line_count", pa.int64())]
)
PARAMETERS = pa.schema(
    [
        ("as_of", pa.date32()),
        ("run_at", pa.timestamp("us")),
        ("has_live_release", pa.bool_()),
        ("rules_hash", pa.string()),
        ("reporting_currency", pa.string()),
        ("line_decimals", pa.int32()),
        ("window_months", pa.int32()),
        ("history_months", pa.int32()),
        ("classification_level", pa.string()),
        ("primary_scheme", pa.string()),
        ("best_tier", pa.string()),
        ("lowest_tier", pa.string()),
        ("demotion_patience_months", pa.int32()),
        ("new_customer_months", pa.int32()),
        ("override_max_days", pa.int32()),
        ("max_rate_age_days", pa.int32()),
        ("exclude_one_time", pa.bool_()),
        ("exclude_intercompany", pa.bool_()),
        ("exclude_placeholders", pa.bool_()),
        ("horizon_months", pa.int32()),
        ("min_peers", pa.int32()),
        ("peer_quantile", pa.decimal128(7, 6)),
        ("major_customer_share", pa.decimal128(7, 6)),
        ("min_cost_coverage", pa.decimal128(7, 6)),
        ("min_population", pa.int32()),
        ("max_rejected_share", pa.decimal128(7, 6)),
        ("max_row_count_drop", pa.decimal128(7, 6)),
        ("max_revenue_change", pa.decimal128(9, 6)),
        ("control_total_tolerance", pa.decimal128(18, 4)),
        ("inactive_days", pa.int32()),
    ]
)
SCHEMES = pa.schema(
    [
        ("scheme", pa.string()),
        ("criterion", pa.string()),
        ("rule", pa.string()),
        ("crossing_account", pa.string()),
        ("population", pa.string()),
        ("is_primary", pa.bool_()),
        ("lowest_tier", pa.string()),
    ]
)
CUT_POINTS = pa.schema(
    [
        ("scheme", pa.string()),
        ("tier", pa.string()),
        ("tier_rank", pa.int32()),
        ("rule", pa.string()),
        ("cut_millionths", pa.int64()),
        ("cut_value", pa.decimal128(18, 4)),
        ("crossing_account", pa.string()),
    ]
)
CAPS = pa.schema([("tier", pa.string()), ("scope", pa.string()), ("max_accounts", pa.int64())])
OVERRIDE_BUDGETS = pa.schema([("tier", pa.string()), ("max_share", pa.decimal128(7, 6))])
LIVE_ACCOUNT_TIERS = pa.schema(
    [
        ("account_key", pa.string()),
        ("as_of", pa.date32()),
        ("account_name", pa.string()),
        ("relationship", pa.string()),
        ("country_code", pa.string()),
        ("industry", pa.string()),
        ("owner_id", pa.string()),
        ("revenue", pa.decimal128(18, 4)),
        ("final_tier", pa.string()),
        ("posture", pa.string()),
        ("is_active", pa.bool_()),
        ("inactive_since", pa.date32()),
        ("row_hash", pa.string()),
        ("updated_at", pa.timestamp("us")),
    ]
)
LIVE_PUBLISHED_TIERS = pa.schema(
    [
        ("account_key", pa.string()),
        ("as_of", pa.date32()),
        ("published_at", pa.timestamp("us")),
        ("final_tier", pa.string()),
        ("value", pa.decimal128(18, 4)),
        ("value_tier", pa.string()),
        ("potential_tier", pa.string()),
        ("stable_tier", pa.string()),
        ("override_tier", pa.string()),
        ("posture", pa.string()),
        ("members_hash", pa.string()),
        ("rules_hash", pa.string()),
    ]
)
QUALITY_RESULTS = pa.schema(
    [
        ("check_name", pa.string()),
        ("asset", pa.string()),
        ("severity", pa.string()),
        ("passed", pa.bool_()),
        ("observed", pa.string()),
        ("remedy", pa.string()),
    ]
)
# What a run is told of the release before it.
LIVE_MARTS = {"account_tiers": LIVE_ACCOUNT_TIERS, "published_tiers": LIVE_PUBLISHED_TIERS}


@dataclass(frozen=True)
class Delivery:
    """A delivered file that lies in the landing folder now, with its place in the order of deliveries.

    `is_repeated`: a delivery that counts holds the same bytes. `is_replaced`: a later full extract stands in
    its place; `extract_rank` is 1 in the latest one and null in a delta.
    """

    file: str
    order: int
    entry: LedgerEntry
    is_repeated: bool
    is_replaced: bool = False
    extract_rank: int | None = None

    @property
    def counts(self) -> bool:
        """Whether rows of it reach the models; of one content at most one delivery does."""
        return not (self.is_repeated or self.is_replaced)

    def row(self) -> dict[str, object]:
        """The row of `raw.deliveries`."""
        return {
            "source_file": self.file,
            "sha256": self.entry.sha256,
            "source_system": self.entry.system,
            "entity": self.entry.entity,
            "profile": self.entry.profile,
            "delivery_id": self.entry.delivery_id,
            "delivery_order": self.order,
            "is_repeated": self.is_repeated,
            "is_replaced": self.is_replaced,
            "layout": self.entry.layout or None,
            "extract_scope": self.entry.scope or None,
            "extract_name": self.entry.extract or None,
            "extract_rank": self.extract_rank,
            "rows_read": self.entry.rows_read,
            "rows_loaded": self.entry.rows_loaded,
            "rows_rejected": self.entry.rows_rejected,
        }

    def month_rows(self) -> list[dict[str, object]]:
        """The rows of `raw.delivery_months`: months as year * 12 + month."""
        return [
            {
                "delivery_id": self.entry.delivery_id,
                "month_index": month.year * 12 + month.month,
                "line_count": lines,
            }
            for month, lines in self.entry.rows_by_month.items()
            if self.entry.entity == "invoice_lines" and self.counts
        ]


def ordered_deliveries(landed: Iterable[tuple[str, LedgerEntry]]) -> list[Delivery]:
    """Deliveries in the order given (file, entry); of equal contents the first that is not replaced counts."""
    files = list(landed)
    deliveries: list[Delivery] = []
    seen: set[int] = set()
    places = places_of([entry for _, entry in files])
    for order, ((file, entry), place) in enumerate(zip(files, places, strict=True), start=1):
        delivery = Delivery(
            file,
            order,
            entry,
            is_repeated=not place.is_replaced and entry.delivery_id in seen,
            is_replaced=place.is_replaced,
            extract_rank=place.extract_rank,
        )
        deliveries.append(delivery)
        if delivery.counts:
            seen.add(entry.delivery_id)
    return deliveries


def entity_files(deliveries: Sequence[Delivery], raw: Path, entity: str) -> list[Path]:
    """The landed Parquet files of an entity that count; the empty one where nothing was delivered."""
    files = sorted({d.entry.landed for d in deliveries if d.entry.entity == entity and d.counts})
    return [raw / entity / file for file in files] or [raw / entity / "_empty.parquet"]


def create_raw_schema(
    connection: duckdb.DuckDBPyConnection,
    *,
    raw: Path,
    deliveries: Sequence[Delivery],
    identifiers: Path,
    live: LiveRelease | None,
    phones: Path | None = None,
) -> None:
    """(Re)creates the views and tables that depend on the input files and on the live release.

    Args:
        connection: to the warehouse.
        raw: the raw zone.
        deliveries: the files of today.
        identifiers: what `normalise_identifiers` wrote.
        live: the release that is live before this run.
        phones: what `normalise_phones` wrote; None for no numbers.
    """
    connection.execute("create schema if not exists raw")
    for entity in load_entities().values():
        _create_entity_view(connection, entity, raw, deliveries)
    write_table(connection, "deliveries", DELIVERIES, [delivery.row() for delivery in deliveries])
    months = [row for delivery in deliveries for row in delivery.month_rows()]
    write_table(connection, "delivery_months", DELIVERY_MONTHS, months)
    _create_rejected_view(connection, raw, deliveries)
    _create_view(connection, "identifiers", f"select * from read_parquet({_quoted(identifiers)})")
    if phones is None:
        write_table(connection, "phones", PHONES, [])
    else:
        _create_view(connection, "phones", f"select * from read_parquet({_quoted(phones)})")
    for mart, schema in LIVE_MARTS.items():
        _write_live(connection, mart, schema, live)
    write_table(connection, "quality_results", QUALITY_RESULTS, [])


def _write_live(
    connection: duckdb.DuckDBPyConnection, mart: str, schema: pa.Schema, live: LiveRelease | None
) -> None:
    """`raw.live_<mart>`: what the live release says; empty where there is none, or it lacks the mart."""
    path = live.mart(mart) if live else None
    write_table(connection, f"live_{mart}", schema, [])
    if path is not None and path.exists():
        connection.execute(
            f"insert into raw.live_{mart} by name "
            f"select {', '.join(_shared_columns(path, schema))} from read_parquet({_quoted(path)})"
        )


def _shared_columns(path: Path, schema: pa.Schema) -> list[str]:
    """The columns that both know: a release of an older version has fewer."""
    published = set(pq.read_schema(path).names)
    return [name for name in schema.names if name in published]


def write_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    schema: pa.Schema,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Replaces `raw.<name>` by the rows, typed by the schema; keys outside the schema are an error."""
    for row in rows:
        if unknown := set(row) - set(schema.names):
            raise ValueError(f"raw.{name} has no columns {sorted(unknown)}")
    incoming = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    _drop(connection, name)
    connection.register("incoming", incoming)
    connection.execute(f"create table raw.{name} as select * from incoming")
    connection.unregister("incoming")


def _create_entity_view(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    raw: Path,
    deliveries: Sequence[Delivery],
) -> None:
    columns = ", ".join(entity.columns)
    listed = ", ".join(_quoted(path) for path in entity_files(deliveries, raw, entity.name))
    _create_view(
        connection,
        entity.name,
        f"select {columns}, extra_columns, source_system, delivery_id, "
        "coalesce(line_number, file_row_number + line_offset) as line_number "
        f"from read_parquet([{listed}], file_row_number = true)",
    )


# Whole lines of these are published where they are rejected: figures, and no columns about people beside them.
FIGURES = ("invoice_lines", "products", "product_costs", "exchange_rates", "control_totals")


def published_raw_value(alias: str) -> str:
    """The rejected value as SQL, withheld where it may be about a person.

    That is a personal column, and a whole line of any entity but those of figures: what else a system wrote into
    it nobody knows.
    """
    personal = [
        f"({alias}.entity = '{entity.name}' and {alias}.column_name in "
        f"({', '.join(repr(column.name) for column in entity.columns.values() if column.personal)}))"
        for entity in load_entities().values()
        if any(column.personal for column in entity.columns.values())
    ]
    figures = ", ".join(f"'{name}'" for name in FIGURES)
    personal.append(f"({alias}.column_name is null and {alias}.entity not in ({figures}))")
    known = ", ".join(f"'{name}'" for name in load_entities())
    personal.append(f"{alias}.entity not in ({known})")
    return (
        f"case when {' or '.join(personal)} then '(withheld: personal data)' "
        f"else coalesce({alias}.raw_value, {alias}.raw_line) end"
    )


def _create_rejected_view(
    connection: duckdb.DuckDBPyConnection, raw: Path, deliveries: Sequence[Delivery]
) -> None:
    """Rejected rows carry the file name of their first delivery; the view names today's."""
    kept = [d for d in deliveries if d.entry.rejected and d.counts]
    columns = (
        "rejected.entity, rejected.source_system, deliveries.source_file, rejected.delivery_id, "
        "rejected.line_number, rejected.column_name, "
        f"{published_raw_value('rejected')} as raw_value, rejected.rule, "
        "rejected.row_date, rejected.row_amount, rejected.row_currency"
    )
    if not kept:
        empty = (
            "select null::varchar as entity, null::varchar as source_system, null::bigint as delivery_id, "
            "null::bigint as line_number, null::varchar as column_name, null::varchar as raw_value, "
            "null::varchar as raw_line, null::varchar as rule, null::date as row_date, "
            "null::decimal(18,4) as row_amount, null::varchar as row_currency where false"
        )
        source = f"({empty})"
    else:
        listed = ", ".join(_quoted(raw / "rejected" / str(d.entry.rejected)) for d in kept)
        source = f"(select * exclude (source_file) from read_parquet([{listed}]))"
    _create_view(
        connection,
        "rejected_rows",
        f"select {columns} from {source} as rejected inner join raw.deliveries as deliveries "
        "on rejected.delivery_id = deliveries.delivery_id "
        "and not deliveries.is_repeated and not deliveries.is_replaced",
    )


def _create_view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    _drop(connection, name)
    connection.execute(f"create view raw.{name} as {query}")


def _drop(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    kind = connection.execute(
        "select table_type from information_schema.tables "
        "where table_schema = 'raw' and table_name = ?",
        [name],
    ).fetchone()
    if kind:
        connection.execute(f"drop {'view' if kind[0] == 'VIEW' else 'table'} raw.{name}")


def _quoted(path: Path) -> str:
    return "'" + str(path.resolve()).replace("'", "''") + "'"
