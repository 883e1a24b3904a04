"""The hand-written script once more, in Polars: lazy frames, streamed where Polars can.

Money is whole ten-thousandths in 64 bits, so that sums and quotients are exact; rates are whole
millionths, which is refused where a rate has more decimals. Same files, same rules, same three marts.
"""

from __future__ import annotations

import polars as pl

from tests.benchmarks.yardsticks.arguments import Job, run_from_command_line

TYPES: dict[str, dict[str, pl.DataType]] = {
    "accounts": {
        "account_id": pl.String(),
        "erp_customer_id": pl.String(),
        "created_at": pl.Datetime("us"),
    },
    "customers": {"customer_id": pl.String()},
    "exchange_rates": {
        "rate_date": pl.Date(),
        "from_currency": pl.String(),
        "to_currency": pl.String(),
        "rate": pl.Decimal(19, 10),
    },
    "invoice_lines": {
        "invoice_id": pl.String(),
        "line_id": pl.String(),
        "customer_id": pl.String(),
        "invoice_date": pl.Date(),
        "document_type": pl.String(),
        "product_id": pl.String(),
        "quantity": pl.Decimal(18, 6),
        "net_amount": pl.Decimal(18, 4),
        "currency": pl.String(),
        "cost_amount": pl.Decimal(18, 4),
    },
}
SUMS = ("revenue", "costed_revenue", "cost", "turnover", "costed_turnover")
COUNTS = ("line_count", "costed_line_count")


def run(job: Job) -> None:
    """Writes the raw zone and the three marts below the job's output folder."""
    for entity in TYPES:
        _land(job, entity)
    accounts = _accounts(job)
    months = _account_months(job, accounts)
    _monthly(months, accounts).lazy().sink_parquet(job.mart("account_monthly"))
    windows = _windows(job, accounts, months)
    for scheme in ("revenue", "gross_margin"):
        windows = windows.join(
            _curve(windows, scheme), on=["as_of", f"{scheme}_value"], how="left"
        ).with_columns(pl.col(f"{scheme}_tier").fill_null("C"))
    history = _history(windows, accounts)
    history.write_parquet(job.mart("account_tier_history"))
    _tiers(history, job).write_parquet(job.mart("account_tiers"))


def _land(job: Job, entity: str) -> None:
    for delivered in job.delivered(entity):
        is_csv = delivered.suffix == ".csv"
        frame = pl.scan_csv(delivered, infer_schema=False) if is_csv else pl.scan_parquet(delivered)
        schema = frame.collect_schema()
        typed = frame.select(_typed(n, kind, schema[n]) for n, kind in TYPES[entity].items())
        typed.sink_parquet(job.raw(entity, delivered))


def _typed(name: str, kind: pl.DataType, found: pl.DataType) -> pl.Expr:
    if found == pl.String and kind == pl.Datetime:
        return pl.col(name).str.to_datetime(time_unit="us")
    if found == pl.String and kind == pl.Date:
        return pl.col(name).str.to_date()
    return pl.col(name).cast(kind)


def _raw(job: Job, entity: str) -> pl.LazyFrame:
    return pl.scan_parquet(job.raw(entity) / "*.parquet")


def _rates(job: Job) -> pl.LazyFrame:
    """Foreign units per euro; on a day without a rate the last one before it, at most 7 days old."""
    rates = _raw(job, "exchange_rates").collect().sort("rate_date")
    # what a Decimal(19, 10) is inside: ten-billionths
    units = rates["rate"].to_physical().cast(pl.Int64)
    if (units % 10_000 != 0).any():
        raise ValueError("a rate has more than six decimals: millionths would not be exact")
    rates = rates.with_columns(units=units // 10_000).rename({"to_currency": "currency"})
    days = pl.date_range(job.first_month, job.as_of, "1d", closed="left", eager=True)
    wanted = pl.DataFrame({"invoice_date": days}).join(
        rates.select(pl.col("currency").unique()), how="cross"
    )
    return (
        wanted.sort("invoice_date")
        .join_asof(
            rates,
            left_on="invoice_date",
            right_on="rate_date",
            by="currency",
            tolerance="7d",
            check_sortedness=False,
        )
        .drop_nulls("units")
        .select("currency", "invoice_date", "units")
        .lazy()
    )


def _accounts(job: Job) -> pl.DataFrame:
    crm = _raw(job, "accounts").select(
        account_key=pl.lit("crm:accounts:") + pl.col("account_id"),
        customer_id=pl.col("erp_customer_id"),
        created_at=pl.col("created_at"),
    )
    alone = _raw(job, "customers").join(crm, on="customer_id", how="anti")
    erp = alone.select(
        account_key=pl.lit("erp:customers:") + pl.col("customer_id"),
        customer_id=pl.col("customer_id"),
        created_at=pl.lit(None, pl.Datetime("us")),
    )
    spine = pl.concat([crm, erp]).sort("account_key").with_row_index("account")
    return spine.with_columns(pl.col("account").cast(pl.Int32)).collect()


def _converted(amount: str) -> pl.Expr:
    """Euros in ten-thousandths; in another currency by whole numbers to the cent, half away from zero."""
    units, rate = pl.col(amount).to_physical().cast(pl.Int64), pl.col("units")
    cents = (units.abs() * 20_000 + rate) // (2 * rate)
    return pl.when(pl.col("currency") == "EUR").then(units).otherwise(units.sign() * cents * 100)


def _account_months(job: Job, accounts: pl.DataFrame) -> pl.DataFrame:
    known = accounts.lazy().drop_nulls("customer_id").select("account", "customer_id")
    converted = (
        _raw(job, "invoice_lines")
        .join(known, on="customer_id")
        .join(_rates(job), on=["currency", "invoice_date"], how="left")
        .select(
            "account",
            "invoice_id",
            month=pl.col("invoice_date").dt.truncate("1mo"),
            is_sale=pl.col("document_type") == "invoice",
            revenue=_converted("net_amount"),
            cost=_converted("cost_amount"),
        )
    )
    revenue, is_costed = pl.col("revenue"), pl.col("cost").is_not_null()
    documents = converted.group_by("account", "month", "invoice_id").agg(
        revenue.sum(),
        pl.col("cost").sum(),
        costed_revenue=revenue.filter(is_costed).sum(),
        turnover=revenue.abs().sum(),
        costed_turnover=revenue.abs().filter(is_costed).sum(),
        line_count=pl.len().cast(pl.Int64),
        costed_line_count=is_costed.sum().cast(pl.Int64),
        invoice_count=pl.col("is_sale").any().cast(pl.Int64),
    )
    summed = documents.group_by("account", "month").agg(
        pl.col(*SUMS, *COUNTS, "invoice_count").sum()
    )
    return summed.collect(engine="streaming")


def _windows(job: Job, accounts: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """One row per account and month: the twelve months that end with it."""
    grid = (
        accounts.lazy()
        .select("account", "created_at")
        .join(pl.LazyFrame({"month": job.months()}), how="cross")
    )
    # 36 rows per account in order: a window is a difference of two running totals
    filled = grid.join(months.lazy(), on=["account", "month"], how="left").sort("account", "month")
    running = [pl.col(name).fill_null(0).cum_sum().over("account") for name in (*SUMS, *COUNTS)]
    summed = filled.with_columns(running).with_columns(ever=pl.col("line_count") > 0)
    summed = summed.with_columns(
        pl.col(name) - pl.col(name).shift(12).over("account").fill_null(0)
        for name in (*SUMS, *COUNTS)
    )
    as_of = pl.col("month").dt.offset_by("1mo")
    margin = pl.col("costed_revenue") - pl.col("cost")
    is_covered = 10 * pl.col("costed_turnover") >= 8 * pl.col("turnover")
    has_cost = pl.col("costed_line_count") > 0
    return (
        summed.filter(
            pl.col("created_at").is_null()
            | (pl.col("created_at") < as_of.cast(pl.Datetime("us")))
            | pl.col("ever")
            | (as_of == job.as_of)
        )
        .select(
            "account",
            "revenue",
            as_of=as_of,
            gross_margin=pl.when(has_cost | (pl.col("line_count") == 0)).then(margin),
            revenue_value=pl.when(pl.col("line_count") > 0).then("revenue"),
            gross_margin_value=pl.when(has_cost & is_covered).then(margin),
        )
        .collect(engine="streaming")
    )


def _curve(windows: pl.DataFrame, scheme: str) -> pl.DataFrame:
    """Equal values stand together; the account that crosses the line is in."""
    value = pl.col(f"{scheme}_value")
    grouped = windows.lazy().filter(value > 0).group_by("as_of", value).agg(group_value=value.sum())
    ordered = grouped.sort("as_of", f"{scheme}_value", descending=[False, True])
    group_value = pl.col("group_value")
    placed = ordered.with_columns(
        total=group_value.sum().over("as_of"),
        before=group_value.cum_sum().over("as_of") - group_value,
    )
    before, total = pl.col("before"), pl.col("total")
    tier = pl.when(100 * before < 80 * total).then(pl.lit("A"))
    tier = tier.when(100 * before < 95 * total).then(pl.lit("B")).otherwise(pl.lit("C"))
    return placed.select(
        "as_of",
        value,
        (value / total).round(12).alias(f"{scheme}_share"),
        (before / total).round(12).alias(f"{scheme}_share_before"),
        tier.alias(f"{scheme}_tier"),
    ).collect()


def _history(windows: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    columns = ("share", "share_before", "tier")
    schemes = [f"{scheme}_{name}" for scheme in ("revenue", "gross_margin") for name in columns]
    return (
        windows.join(accounts.select("account", "account_key"), on="account")
        .sort("account_key", "as_of")
        .select("account_key", "as_of", _money("revenue"), _money("gross_margin"), *schemes)
    )


def _tiers(history: pl.DataFrame, job: Job) -> pl.DataFrame:
    last = history.filter(pl.col("as_of") == job.as_of)
    ranked = last.sort("revenue", "account_key", descending=[True, False]).with_row_index("rank", 1)
    rank = pl.when(pl.col("revenue") > 0).then(pl.col("rank").cast(pl.Int64))
    return ranked.with_columns(revenue_rank=rank).drop("rank").sort("account_key")


def _monthly(months: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    margin = pl.when(pl.col("costed_line_count") > 0).then(
        pl.col("costed_revenue") - pl.col("cost")
    )
    return (
        months.with_columns(gross_margin=margin)
        .join(accounts.select("account", "account_key"), on="account")
        .sort("account_key", "month")
        .select(
            *("account_key", "month"),
            *(_money(name) for name in ("revenue", "cost", "gross_margin")),
            "invoice_count",
        )
    )


def _money(name: str) -> pl.Expr:
    """Ten-thousandths as a decimal with four places."""
    return pl.col(name).cast(pl.Decimal(30, 4)) / pl.lit(10_000, pl.Decimal(30, 4))


if __name__ == "__main__":
    run_from_command_line(run, __doc__)
