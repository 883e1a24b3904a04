"""The hand-written script once more, in pandas: everything in memory, one frame after the other.

Money is whole ten-thousandths in 64 bits, as in the Polars script. Delivered files are read one by one, and
a file's lines are summed to documents at once, so that the lines themselves never lie in memory together.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from tests.benchmarks.yardsticks.arguments import Job, run_from_command_line

MONEY = pa.decimal128(18, 4)
TYPES: dict[str, dict[str, pa.DataType]] = {
    "accounts": {
        "account_id": pa.string(),
        "erp_customer_id": pa.string(),
        "created_at": pa.timestamp("us"),
    },
    "customers": {"customer_id": pa.string()},
    "exchange_rates": {
        "rate_date": pa.date32(),
        "from_currency": pa.string(),
        "to_currency": pa.string(),
        "rate": pa.decimal128(19, 10),
    },
    "invoice_lines": {
        "invoice_id": pa.string(),
        "line_id": pa.string(),
        "customer_id": pa.string(),
        "invoice_date": pa.date32(),
        "document_type": pa.string(),
        "product_id": pa.string(),
        "quantity": pa.decimal128(18, 6),
        "net_amount": MONEY,
        "currency": pa.string(),
        "cost_amount": MONEY,
    },
}
SUMS = ["revenue", "costed_revenue", "cost", "turnover", "costed_turnover"]
COUNTS = ["line_count", "costed_line_count"]


def run(job: Job) -> None:
    """Writes the raw zone and the three marts below the job's output folder."""
    for entity in TYPES:
        for delivered in job.delivered(entity):
            _land(delivered, entity, job)
    accounts = _accounts(job)
    months = _account_months(job, accounts)
    _write(_monthly(months, accounts), job.mart("account_monthly"))
    windows = _windows(job, accounts, months)
    for scheme in ("revenue", "gross_margin"):
        windows = windows.merge(
            _curve(windows, scheme), on=["as_of", f"{scheme}_value"], how="left"
        )
        windows[f"{scheme}_tier"] = windows[f"{scheme}_tier"].fillna("C")
    history = windows.merge(accounts[["account", "account_key"]], on="account")
    history = history.sort_values(["account_key", "as_of"])
    history = history.drop(columns=["account", "revenue_value", "gross_margin_value"])
    _write(history, job.mart("account_tier_history"))
    _write(_tiers(history, job), job.mart("account_tiers"))


def _land(delivered: Path, entity: str, job: Job) -> None:
    types = TYPES[entity]
    if delivered.suffix == ".csv":
        convert = pyarrow.csv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=True
        )
        table = pyarrow.csv.read_csv(delivered, convert_options=convert)
    else:
        table = pyarrow.parquet.read_table(delivered, columns=list(types))
        table = table.cast(pa.schema(list(types.items())))
    pyarrow.parquet.write_table(table, job.raw(entity, delivered))


def _accounts(job: Job) -> pd.DataFrame:
    crm = pd.read_parquet(job.raw("accounts")).rename(columns={"erp_customer_id": "customer_id"})
    crm["account_key"] = "crm:accounts:" + crm["account_id"]
    customers = pd.read_parquet(job.raw("customers"))
    alone = customers[~customers["customer_id"].isin(crm["customer_id"])].copy()
    alone["account_key"] = "erp:customers:" + alone["customer_id"]
    spine = pd.concat([crm, alone], ignore_index=True).sort_values("account_key")
    spine["account"] = np.arange(len(spine), dtype="int32")
    return spine[["account", "account_key", "customer_id", "created_at"]]


def _rates(job: Job) -> pd.DataFrame:
    """Millionths of foreign units per euro; on a day without a rate the last one, at most 7 days old."""
    rates = pd.read_parquet(job.raw("exchange_rates"))
    exact = rates["rate"].map(lambda rate: rate * 1_000_000)
    if (exact % 1 != 0).any():
        raise ValueError("a rate has more than six decimals: millionths would not be exact")
    rates["units"] = exact.astype("int64")
    rates["rate_date"] = pd.to_datetime(rates["rate_date"]).astype("datetime64[s]")
    days = pd.DataFrame(
        {"invoice_date": pd.date_range(job.first_month, job.as_of, inclusive="left", unit="s")}
    )
    wanted = days.merge(rates["to_currency"].drop_duplicates(), how="cross")
    filled = pd.merge_asof(
        wanted,
        rates.sort_values("rate_date"),
        left_on="invoice_date",
        right_on="rate_date",
        by="to_currency",
        tolerance=pd.Timedelta("7D"),
    ).dropna(subset="units")
    filled["units"] = filled["units"].astype("int64")
    return filled.rename(columns={"to_currency": "currency"})[["currency", "invoice_date", "units"]]


def _account_months(job: Job, accounts: pd.DataFrame) -> pd.DataFrame:
    known = accounts.dropna(subset="customer_id")[["customer_id", "account"]]
    rates = _rates(job)
    documents = [
        _documents(raw, known, rates) for raw in sorted(job.raw("invoice_lines").glob("*.parquet"))
    ]
    # a document may come in two files
    whole = (
        pd.concat(documents)
        .groupby(["account", "month", "invoice_id"], sort=False)
        .agg(dict.fromkeys([*SUMS, *COUNTS], "sum") | {"invoice_count": "max"})
    )
    return whole.groupby(["account", "month"]).sum().reset_index()


def _documents(raw: Path, known: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    table = pyarrow.parquet.read_table(raw)
    has_cost = pc.is_valid(table["cost_amount"]).to_numpy()
    lines = table.select(["invoice_id", "customer_id", "currency"]).to_pandas()
    lines["invoice_date"] = table["invoice_date"].cast(pa.timestamp("s")).to_pandas()
    lines["invoice_count"] = pc.equal(table["document_type"], "invoice").to_numpy().astype("int64")
    for column in ("net_amount", "cost_amount"):
        lines[column] = _ten_thousandths(table[column])
    lines["costed_line_count"] = has_cost.astype("int64")
    lines = lines.merge(known, on="customer_id").merge(
        rates, on=["currency", "invoice_date"], how="left"
    )
    revenue, cost = (_converted(lines, column) for column in ("net_amount", "cost_amount"))
    is_costed = lines["costed_line_count"]
    lines = lines.assign(
        month=lines["invoice_date"].dt.to_period("M").dt.to_timestamp(),
        revenue=revenue,
        cost=cost * is_costed,
        costed_revenue=revenue * is_costed,
        turnover=revenue.abs(),
        costed_turnover=revenue.abs() * is_costed,
        line_count=1,
    )
    return (
        lines.groupby(["account", "month", "invoice_id"], sort=False)
        .agg(dict.fromkeys([*SUMS, *COUNTS], "sum") | {"invoice_count": "max"})
        .reset_index()
    )


def _ten_thousandths(amounts: pa.ChunkedArray) -> np.ndarray:
    """A decimal(18, 4) as the whole number that it is inside; 0 where there is none."""
    filled = pc.fill_null(amounts, pa.scalar(Decimal(0), MONEY))
    whole = pc.multiply(filled, pa.scalar(Decimal(10_000), pa.decimal128(6, 0)))
    return whole.cast(pa.int64()).to_numpy()


def _converted(lines: pd.DataFrame, amount: str) -> pd.Series:
    """Euros in ten-thousandths; in another currency by whole numbers to the cent, half away from zero."""
    units, rate = lines[amount], lines["units"].fillna(1).astype("int64")
    cents = (units.abs() * 20_000 + rate) // (2 * rate)
    return units.where(lines["currency"] == "EUR", np.sign(units) * cents * 100)


def _windows(job: Job, accounts: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """One row per account and month: the twelve months that end with it."""
    month = pd.DataFrame({"month": pd.to_datetime(pd.Series(job.months()))}).astype("datetime64[s]")
    grid = accounts[["account", "created_at"]].merge(month, how="cross")
    months = months.astype({"month": "datetime64[s]"})
    filled = grid.merge(months, on=["account", "month"], how="left")
    # 36 rows per account in order: a window is a difference of two running totals
    columns = [*SUMS, *COUNTS]
    filled[columns] = filled[columns].fillna(0).astype("int64")
    running = filled.groupby("account")[columns].cumsum()
    before = running.groupby(filled["account"]).shift(12, fill_value=0)
    window = running - before
    as_of = filled["month"] + pd.DateOffset(months=1)
    margin = window["costed_revenue"] - window["cost"]
    has_lines, has_cost = window["line_count"] > 0, window["costed_line_count"] > 0
    is_covered = 10 * window["costed_turnover"] >= 8 * window["turnover"]
    margin = margin.astype("Int64")
    frame = pd.DataFrame(
        {
            "account": filled["account"],
            "as_of": as_of,
            "revenue": window["revenue"],
            "gross_margin": margin.where(has_cost | ~has_lines),
            "revenue_value": window["revenue"].astype("Int64").where(has_lines),
            "gross_margin_value": margin.where(has_cost & is_covered),
        }
    )
    is_there = filled["created_at"].isna() | (filled["created_at"] < as_of)
    is_there |= (running["line_count"] > 0) | (as_of == pd.Timestamp(job.as_of))
    return frame[is_there]


def _curve(windows: pd.DataFrame, scheme: str) -> pd.DataFrame:
    """Equal values stand together; the account that crosses the line is in."""
    name = f"{scheme}_value"
    valued = windows.loc[(windows[name] > 0).fillna(False), ["as_of", name]]
    grouped = valued.groupby(["as_of", name]).size().reset_index(name="accounts")
    grouped = grouped.sort_values(["as_of", name], ascending=[True, False])
    value = grouped[name].astype("int64")
    grouped["group_value"] = value * grouped["accounts"]
    by_month = grouped.groupby("as_of")["group_value"]
    before, total = by_month.cumsum() - grouped["group_value"], by_month.transform("sum")
    grouped[f"{scheme}_share"] = (value / total).round(12)
    grouped[f"{scheme}_share_before"] = (before / total).round(12)
    grouped[f"{scheme}_tier"] = np.select(
        [100 * before < 80 * total, 100 * before < 95 * total], ["A", "B"], "C"
    )
    return grouped.drop(columns=["accounts", "group_value"])


def _tiers(history: pd.DataFrame, job: Job) -> pd.DataFrame:
    last = history[history["as_of"] == pd.Timestamp(job.as_of)]
    ranked = last.sort_values(["revenue", "account_key"], ascending=[False, True])
    rank = pd.Series(np.arange(1, len(ranked) + 1), index=ranked.index, dtype="Int64")
    ranked = ranked.assign(revenue_rank=rank.where(ranked["revenue"] > 0))
    return ranked.sort_values("account_key")


def _monthly(months: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    margin = (months["costed_revenue"] - months["cost"]).astype("Int64")
    named = months.assign(gross_margin=margin.where(months["costed_line_count"] > 0)).merge(
        accounts[["account", "account_key"]], on="account"
    )
    columns = ["account_key", "month", "revenue", "cost", "gross_margin", "invoice_count"]
    return named.sort_values(["account_key", "month"])[columns]


def _write(frame: pd.DataFrame, target: Path) -> None:
    """Parquet with money as decimals of four places."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for name in ("revenue", "cost", "gross_margin"):
        if name in table.column_names:
            whole = table[name].cast(pa.decimal128(22, 0))
            tenth = pa.scalar(Decimal("0.0001"), pa.decimal128(5, 4))
            position = table.column_names.index(name)
            table = table.set_column(position, name, pc.multiply(whole, tenth))
    pyarrow.parquet.write_table(table, target)


if __name__ == "__main__":
    run_from_command_line(run, __doc__)
