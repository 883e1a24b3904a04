"""What the manifest says of each delivered file."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.warehouse.raw_zone import DELIVERIES, Delivery
from dagster_project.lib.warehouse.release import _inputs


def test_rows_left_out_and_lines_skipped_stand_beside_the_counts() -> None:
    entry = LedgerEntry.model_validate(
        {
            **dict.fromkeys(["file", "sha256", "system", "profile", "encoding", "dialect"], "x"),
            **{"entity": "invoice_lines", "delivery_id": 7, "landed": "7.parquet", "size": 1},
            **{"rows_read": 9, "rows_loaded": 6, "rows_rejected": 3},
            **{"rows_left_out": {"draft": 2, "tax_line": 40}, "lines_skipped": 5},
        }
    )
    delivery = Delivery("erp/lines.csv", 1, entry, is_repeated=False)
    read = pa.Table.from_pylist([delivery.row()], schema=DELIVERIES)
    with duckdb.connect() as connection:
        connection.register("read", read)
        connection.execute("create schema raw")
        connection.execute("create table raw.deliveries as select * from read")
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_deliveries_counted as"
            " select *, 0 as rows_superseded from raw.deliveries"
        )
        connection.execute(
            "alter table intermediate.int_deliveries_counted drop column rows_left_out"
        )
        connection.execute(
            "alter table intermediate.int_deliveries_counted drop column lines_skipped"
        )
        (recorded,) = _inputs(connection)
    assert (recorded.rows_read, recorded.rows_loaded, recorded.rows_rejected) == (9, 6, 3)
    assert (recorded.rows_left_out, recorded.lines_skipped) == (42, 5)
