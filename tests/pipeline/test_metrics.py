"""MetricFlow's metrics on the published database, against sums made from the Parquet marts in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.lib.metrics import MetricsError, metric_names, query_metrics
from tests.pipeline.pipeline_runs import Refreshed, Rows

ZERO = Decimal(0)


@pytest.fixture(scope="module", params=["demo", "golden"])
def company(request: pytest.FixtureRequest) -> Refreshed:
    made: Any = request.getfixturevalue(request.param)
    found: Refreshed = made[0] if request.param == "demo" else made
    return found


def parquet(company: Refreshed, mart: str) -> Rows:
    """Rows of a mart as its file has them, without DuckDB."""
    rows: Rows = pq.read_table(company.live.mart(mart)).to_pylist()
    return rows


def asked(
    company: Refreshed, *metrics: str, by: str | tuple[str, ...] = (), where: tuple[str, ...] = ()
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The metrics by the values of the dimensions."""
    names = (by,) if isinstance(by, str) else by
    database = company.out / "published" / "marts.duckdb"
    found = query_metrics(database, metrics, names, where=where).dictionaries()
    return {
        tuple(plain(row[name]) for name in names): {name: row[name] for name in metrics}
        for row in found
    }


def plain(value: Any) -> Any:
    """Months come back as moments at midnight."""
    return value.date() if hasattr(value, "date") else value


def grouped(rows: Iterable[dict[str, Any]], key: Callable[[Any], Any]) -> dict[Any, Rows]:
    groups: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def summed(rows: Rows, column: str) -> Decimal | None:
    """As SQL sums: nulls are left out, and nothing at all is null."""
    values = [row[column] for row in rows if row[column] is not None]
    return sum(values, ZERO) if values else None


def rate(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    return None if part is None or not whole else float(part) / float(whole)


def of_months(rows: Rows) -> dict[str, Any]:
    """What the metrics over account_monthly are for these rows."""
    return {
        "revenue": summed(rows, "revenue"),
        "gross_margin": summed(rows, "gross_margin"),
        "margin_rate": rate(summed(rows, "gross_margin"), summed(rows, "costed_revenue")),
        "recurring_revenue": summed(rows, "recurring_revenue"),
        "invoices": sum(row["invoice_count"] for row in rows),
        "active_accounts": len({row["account_key"] for row in rows if row["invoice_count"] > 0}),
    }


def of_states(rows: Rows) -> dict[str, Any]:
    """What the metrics over account_tier_history are for these rows, which are of one month."""
    in_a = [row for row in rows if row["final_tier"] == "A"]
    positive = [row for row in rows if row["revenue"] > 0]
    positive_in_a = sum((row["revenue"] for row in in_a if row["revenue"] > 0), ZERO)
    return {
        "tiered_accounts": len(rows),
        "window_revenue": summed(rows, "revenue"),
        "window_gross_margin": summed(rows, "gross_margin"),
        "share_of_a": rate(positive_in_a, sum((row["revenue"] for row in positive), ZERO)),
        "share_of_a_accounts": rate(len(in_a), len(rows)),
    }


def ranked_states(company: Refreshed) -> Rows:
    """The history without the accounts that are excluded today."""
    accounts = {row["account_key"]: row for row in parquet(company, "account_tiers")}
    return [
        {**row, "account": accounts[row["account_key"]]}
        for row in parquet(company, "account_tier_history")
        if not accounts[row["account_key"]]["is_excluded"]
    ]


def test_every_month_has_the_sums_of_its_rows(company: Refreshed) -> None:
    rows = parquet(company, "account_monthly")
    expected = {
        (month,): of_months(of) for month, of in grouped(rows, lambda row: row["month"]).items()
    }
    assert len(expected) >= 12
    names = list(of_months(rows))
    assert asked(company, *names, by="metric_time__month") == expected
    assert asked(company, *names) == {(): of_months(rows)}


def test_the_total_is_the_ledgers(company: Refreshed) -> None:
    accepted = sum((row["revenue"] for row in parquet(company, "account_monthly")), ZERO)
    assert asked(company, "revenue")[()]["revenue"] == accepted != 0


@pytest.mark.parametrize(
    ("dimension", "column"),
    [
        ("account__final_tier", "final_tier"),
        ("account__posture", "posture"),
        ("account__relationship", "relationship"),
        ("account__country", "country_code"),
        ("account__owner", "owner_id"),
        ("account__industry", "industry"),
    ],
)
def test_revenue_and_margin_can_be_cut_by_who_the_account_is(
    company: Refreshed, dimension: str, column: str
) -> None:
    accounts = {row["account_key"]: row[column] for row in parquet(company, "account_tiers")}
    groups = grouped(parquet(company, "account_monthly"), lambda row: accounts[row["account_key"]])
    assert len(groups) > 1
    expected = {(value,): of_months(rows) for value, rows in groups.items()}
    assert asked(company, *of_months([]), by=dimension) == expected


def test_two_dimensions_and_a_filter_hold_together(company: Refreshed) -> None:
    accounts = {row["account_key"]: row for row in parquet(company, "account_tiers")}
    rows = [
        {**row, "tier": accounts[row["account_key"]]["final_tier"]}
        for row in parquet(company, "account_monthly")
        if accounts[row["account_key"]]["relationship"] == "customer"
    ]
    groups = grouped(rows, lambda row: (row["month"].replace(month=1), row["tier"]))
    found = asked(
        company,
        "revenue",
        "margin_rate",
        by=("metric_time__year", "account__final_tier"),
        where=("{{ Dimension('account__relationship') }} = 'customer'",),
    )
    assert found == {
        key: {"revenue": of_months(of)["revenue"], "margin_rate": of_months(of)["margin_rate"]}
        for key, of in groups.items()
    }


def test_tiers_of_each_month_are_those_of_the_history(company: Refreshed) -> None:
    rows = ranked_states(company)
    by_month = grouped(rows, lambda row: row["month"])
    expected = {(month,): of_states(of) for month, of in by_month.items()}
    assert asked(company, *of_states(rows), by="metric_time__month") == expected
    assert len({of["share_of_a"] for of in expected.values()}) > 1


def test_of_several_months_the_last_one_counts(company: Refreshed) -> None:
    rows = ranked_states(company)
    last = max(row["month"] for row in rows)
    now = [row for row in rows if row["month"] == last]
    assert asked(company, *of_states(rows)) == {(): of_states(now)}
    years = {
        year: max(row["month"] for row in of)
        for year, of in grouped(rows, lambda row: row["month"].replace(month=1)).items()
    }
    assert asked(company, "tiered_accounts", "share_of_a", by="metric_time__year") == {
        (year,): {
            name: of_states([row for row in rows if row["month"] == month])[name]
            for name in ("tiered_accounts", "share_of_a")
        }
        for year, month in years.items()
    }


@pytest.mark.parametrize("name", ["final_tier", "posture"])
def test_the_tier_of_then_and_that_of_today_are_two_dimensions(
    company: Refreshed, name: str
) -> None:
    rows = ranked_states(company)
    last = max(row["month"] for row in rows)
    now = [row for row in rows if row["month"] == last]
    of_then = {
        (value,): {"tiered_accounts": len(of), "window_revenue": summed(of, "revenue")}
        for value, of in grouped(now, lambda row: row[name]).items()
    }
    metrics = ("tiered_accounts", "window_revenue")
    assert asked(company, *metrics, by=f"account_month__{name}") == of_then
    groups = grouped(rows, lambda row: (row["month"], row["account"][name]))
    found = asked(company, *metrics, by=("metric_time__month", f"account__{name}"))
    assert found == {
        key: {"tiered_accounts": len(of), "window_revenue": summed(of, "revenue")}
        for key, of in groups.items()
    }


def test_share_of_a_is_the_headlines(demo: tuple[Refreshed, Any]) -> None:
    """The share that `kam demo` prints, but for the accounts that have left the extracts."""
    company, _ = demo
    rows = [row for row in parquet(company, "account_tiers") if not row["is_excluded"]]
    positive = sum((max(row["revenue"], ZERO) for row in rows), ZERO)
    of_a = sum((max(row["revenue"], ZERO) for row in rows if row["final_tier"] == "A"), ZERO)
    assert asked(company, "share_of_a")[()]["share_of_a"] == float(of_a) / float(positive)


def test_potential_is_that_of_the_accounts(company: Refreshed) -> None:
    expected = {
        (industry,): {"potential": summed(of, "potential")}
        for industry, of in grouped(
            parquet(company, "account_tiers"), lambda row: row["industry"]
        ).items()
    }
    assert asked(company, "potential", by="account__industry") == expected


def test_every_metric_can_be_asked_for_together(golden: Refreshed) -> None:
    names = metric_names()
    assert {"revenue", "gross_margin", "margin_rate", "active_accounts", "share_of_a"} <= set(names)
    found = asked(golden, *names, by="account__country")
    assert all(set(row) == set(names) for row in found.values())


def test_the_calendar_has_every_day_once(company: Refreshed) -> None:
    days = sorted(row["calendar_date"] for row in parquet(company, "calendar_days"))
    months = [row["month"] for row in parquet(company, "account_monthly")]
    as_of = company.live.manifest.as_of
    assert (days[0], days[-1]) == (min(months), as_of)
    assert len(days) == len(set(days)) == (as_of - min(months)).days + 1
    for row in parquet(company, "calendar_days"):
        day = row["calendar_date"]
        assert (row["month"], row["calendar_year"]) == (day.replace(day=1), day.year)


@pytest.mark.parametrize(
    ("metrics", "by", "named"),
    [(("turnover",), (), "turnover"), (("revenue",), ("account__colour",), "account__colour")],
)
def test_an_unknown_name_is_told_with_what_there_is(
    golden: Refreshed, metrics: tuple[str, ...], by: tuple[str, ...], named: str
) -> None:
    with pytest.raises(MetricsError, match=named):
        query_metrics(golden.out / "published" / "marts.duckdb", metrics, by)


def test_nothing_published_is_told(golden: Refreshed) -> None:
    with pytest.raises(MetricsError, match="nothing is published"):
        query_metrics(golden.out / "nowhere.duckdb", ["revenue"])
