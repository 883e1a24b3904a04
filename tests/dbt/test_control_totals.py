"""The ERP's own totals against the landed lines: the model's SQL, as dbt compiles it, on rows worked out by hand."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.dbt.compiled import compiled_nodes

MODEL = "int_revenue_reconciled"
MAY = 2025 * 12 + 5
MONEY = pa.decimal128(18, 4)
TOTAL = {"source_system": "erp", "month_index": MAY, "currency": "EUR", "amount": Decimal(1000)}
LINES = {
    "source_system": "erp",
    "month_index": MAY,
    "currency": "EUR",
    "booking": "booked",
    "revenue_local": Decimal(1000),
}
REJECTED = {
    "entity": "invoice_lines",
    "source_system": "erp",
    "row_date": date(2025, 5, 31),
    "row_amount": Decimal(40),
    "row_currency": "EUR",
}
SCHEMAS = {
    "stg_erp__control_totals": pa.schema(
        {"source_system": pa.string(), "month_index": pa.int32(), "currency": pa.string()}
        | {"amount": MONEY}
    ),
    "int_invoice_lines_counted": pa.schema(
        {"source_system": pa.string(), "month_index": pa.int32(), "currency": pa.string()}
        | {"booking": pa.string(), "revenue_local": pa.decimal128(38, 4)}
    ),
    "stg_run__rejected_rows": pa.schema(
        {"entity": pa.string(), "source_system": pa.string(), "row_date": pa.date32()}
        | {"row_amount": MONEY, "row_currency": pa.string()}
    ),
    "stg_run__parameters": pa.schema({"control_total_tolerance": MONEY}),
}
Rows = list[dict[str, Any]]
Reconcile = Callable[[Rows, Rows, Rows], Rows]


@pytest.fixture(scope="module")
def reconcile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reconcile]:
    """The compiled model as a function of totals, line months and rejected rows."""
    sql = compiled_nodes(tmp_path_factory, MODEL)[MODEL]
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:

        def run(totals: Rows, lines: Rows, rejected: Rows) -> Rows:
            inputs = zip(
                SCHEMAS, (totals, lines, rejected, [{"control_total_tolerance": Decimal("0.01")}]),
                strict=True,
            )  # fmt: skip
            for name, rows in inputs:
                connection.register(name, pa.Table.from_pylist(rows, schema=SCHEMAS[name]))
            return connection.execute(f"{sql} order by all").to_arrow_table().to_pylist()

        yield run


@pytest.mark.parametrize(
    ("landed", "rejected", "status"),
    [
        ("1000", [], "agrees"),
        ("999.99", [], "agrees"),
        ("1000.0101", [], "differs"),
        ("960", [], "differs"),
        # what is missing is what the rejected rows of the month say
        ("960", [{}], "explained"),
        ("920", [{}, {}], "explained"),
        ("950", [{}], "differs"),
        # a row too many is not explained by one too few
        ("1040", [{}], "differs"),
        # of another month, system, entity or currency
        ("960", [{"row_date": date(2025, 6, 1)}], "differs"),
        ("960", [{"source_system": "erp_us"}], "differs"),
        ("960", [{"entity": "account_costs"}], "differs"),
        ("960", [{"row_currency": "USD"}], "differs"),
        # of no month at all: it is named, and explains nothing
        ("960", [{"row_date": None}], "differs"),
        # the amount or the currency cannot be read
        ("900", [{"row_amount": None}], "differs"),
        ("900", [{"row_currency": None}], "differs"),
    ],
)
def test_a_difference_agrees_is_explained_or_differs(
    reconcile: Reconcile, landed: str, rejected: Rows, status: str
) -> None:
    lines = [LINES | {"revenue_local": Decimal(landed)}]
    found = reconcile([TOTAL], lines, [REJECTED | changed for changed in rejected])
    assert [row["status"] for row in found] == [status]
    assert found[0]["landed_amount"] - found[0]["control_amount"] == found[0]["difference"]
    assert found[0]["unplaced_row_count"] == sum(
        "row_date" in row and not row["row_date"] for row in rejected
    )


def test_what_counts_as_revenue_of_the_month(reconcile: Reconcile) -> None:
    lines = [
        LINES,
        # revenue without a rate is revenue all the same
        LINES | {"booking": "no_exchange_rate", "revenue_local": Decimal(7)},
        LINES | {"booking": "left_out", "revenue_local": Decimal(500)},
        LINES | {"month_index": MAY + 1, "revenue_local": Decimal(3)},
        LINES | {"currency": "USD", "revenue_local": Decimal(5)},
        LINES | {"source_system": "erp_us", "revenue_local": Decimal(9)},
    ]
    (row,) = reconcile([TOTAL | {"amount": Decimal(1007)}], lines, [])
    assert (row["month"], row["landed_amount"]) == (date(2025, 5, 1), Decimal(1007))
    assert (row["left_out_amount"], row["status"]) == (Decimal(500), "agrees")


def test_a_month_without_lines_fails_and_one_without_a_total_is_not_asked(
    reconcile: Reconcile,
) -> None:
    assert [row["status"] for row in reconcile([TOTAL], [], [])] == ["differs"]
    assert [row["status"] for row in reconcile([TOTAL | {"amount": 0}], [], [])] == ["agrees"]
    assert reconcile([], [LINES], [REJECTED]) == []
