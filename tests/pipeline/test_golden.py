"""The company of twelve accounts: every published figure is the one worked out by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from tests.pipeline.pipeline_runs import GOLDEN, Refreshed

SHARE_PLACES = Decimal("1e-12")
AS_OF = "2026-01-01"


def expected(name: str) -> list[dict[str, str]]:
    """The rows of a file of `expected/`."""
    path = GOLDEN / "expected" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def as_written(value: Any) -> Any:
    """A value of the marts as the files write it; numbers compare as numbers, shares to 12 decimals."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return Decimal(value).quantize(SHARE_PLACES).normalize()
    if isinstance(value, int | Decimal):
        return Decimal(value).normalize()
    return str(value)


def as_read(text: str, value: Any) -> Any:
    """A text of a file, as a number where the mart has a number."""
    if text == "":
        return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return Decimal(text).normalize()
        except InvalidOperation:
            return text
    return text


def assert_rows_equal(
    found: Iterable[dict[str, Any]], wanted: list[dict[str, str]], key: tuple[str, ...]
) -> None:
    """Every expected row and column is in the mart, and the mart has no other row."""
    by_key = {tuple(str(row[column]) for column in key): row for row in found}
    assert by_key.keys() == {tuple(row[column] for column in key) for row in wanted}
    differences = [
        f"{'/'.join(row[k] for k in key)} {column}: published {value}, by hand {text or None}"
        for row in wanted
        for column, text in row.items()
        if as_written(value := by_key[tuple(row[k] for k in key)][column]) != as_read(text, value)
    ]
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize(
    ("mart", "key"),
    [
        ("account_tiers", ("account_key",)),
        ("account_members", ("source_system", "source_entity", "source_id")),
        ("account_monthly", ("account_key", "month")),
    ],
)
def test_mart_is_as_worked_out(golden: Refreshed, mart: str, key: tuple[str, ...]) -> None:
    assert_rows_equal(golden.rows(f"select * from {mart}"), expected(mart), key)


def test_curves_are_as_worked_out(golden: Refreshed) -> None:
    wanted = [
        {
            column: text
            for column, text in row.items()
            if column not in ("rank", "tier_reason", "distance")
        }
        for row in expected("scheme_tiers")
    ]
    on_curve = [row for row in wanted if row["cumulative_share_net"]]
    found = golden.rows("select * from pareto_curve")
    assert_rows_equal(found, on_curve, ("scheme", "account_key"))
    ranks = {(r["scheme"], r["account_key"]): r["curve_rank"] for r in found}
    for row in expected("scheme_tiers"):
        if row["rank"]:
            assert ranks[row["scheme"], row["account_key"]] == int(row["rank"]), row


def test_scheme_tiers_are_as_worked_out(golden: Refreshed) -> None:
    accounts = golden.accounts()
    for row in expected("scheme_tiers"):
        account, scheme = accounts[row["account_key"]], row["scheme"]
        for column in ("rank", "share", "share_before", "cumulative_share", "tier", "distance"):
            value = account[f"{scheme}_{column}"]
            assert as_written(value) == as_read(row[column], value), (row, column)


@pytest.mark.parametrize("name", ["raw_tiers", "final_tiers"])
def test_months_before_are_as_worked_out(golden: Refreshed, name: str) -> None:
    column = name.removesuffix("s")
    found = {
        (row["account_key"], str(row["as_of"])): row[column]
        for row in golden.rows("select * from account_tier_history")
    }
    for row in expected(name):
        key = row.pop("account_key")
        for as_of, tier in row.items():
            assert found[key, as_of] == tier, (key, as_of)


def test_moves_are_as_worked_out(golden: Refreshed) -> None:
    found = golden.rows("select * from tier_moves where as_of >= date '2025-12-01'")
    assert_rows_equal(found, expected("tier_moves"), ("as_of", "account_key"))


def test_concentration_is_as_worked_out(golden: Refreshed) -> None:
    found = golden.rows(
        f"select * from portfolio_concentration where scheme = 'revenue' and as_of = date '{AS_OF}'"
    )
    assert len(found) == 1
    for row in expected("portfolio_concentration"):
        value = found[0][row["measure"]]
        assert as_written(value) == as_read(row["value"], value), row


def test_totals_are_as_worked_out(golden: Refreshed) -> None:
    told = {row["measure"]: Decimal(row["value"]) for row in expected("totals")}
    manifest = golden.live.manifest
    totals, lines = manifest.totals, [i for i in manifest.inputs if i.entity == "invoice_lines"]
    tiers = {f"final_tier_{tier}": n for tier, n in totals.accounts_by_final_tier.items()}
    left_out = golden.warehouse_rows(
        "select left_out_reason as reason, sum(line_count)::int as n "
        "from intermediate.int_invoice_lines_counted where left_out_reason is not null group by all"
    )
    window = golden.rows(
        "select sum(costed_revenue) as costed, sum(line_count)::int as n "
        "from account_monthly where month >= date '2025-01-01'"
    )[0]
    assert told == {
        "revenue": totals.revenue,
        "ranked_revenue": totals.revenue - totals.excluded_value,
        "excluded_value": totals.excluded_value,
        "gross_margin": totals.gross_margin,
        "known_cost_revenue": window["costed"],
        "accounts": totals.accounts,
        **tiers,
        "lines_read": sum(i.rows_read for i in lines),
        "lines_booked_in_window": window["n"],
        **{f"lines_left_out_{row['reason']}": row["n"] for row in left_out},
        "lines_rejected": sum(i.rows_rejected for i in lines),
    }
    assert manifest.as_of == date.fromisoformat(AS_OF)


def test_reasons_of_scheme_tiers_are_as_worked_out(golden: Refreshed) -> None:
    found = {
        (row["scheme"], row["account_key"]): row["tier_reason"]
        for row in golden.warehouse_rows(
            "select ranks.scheme, accounts.account_key, ranks.tier_reason "
            "from intermediate.int_account_scheme_ranks as ranks "
            "inner join intermediate.int_accounts as accounts using (account_sk)"
        )
    }
    for row in expected("scheme_tiers"):
        assert found[row["scheme"], row["account_key"]] == row["tier_reason"], row
