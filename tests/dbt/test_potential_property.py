"""The SQL of potential, held against the reference on made-up accounts and opportunities.

The two models are compiled once by dbt; then their text runs in an in-memory DuckDB over relations
filled from each example, at two as_ofs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference_potential import Potential, PotentialRules, potentials
from dagster_project.lib.reference_values import make_converter
from tests.dbt.compiled import compiled_nodes

PIPELINES, POTENTIALS = "int_account_pipelines", "int_account_potentials"
AS_OFS = (date(2025, 12, 1), date(2026, 1, 1))
BANDS = (("small", 1, 9), ("large", 10, None))
EMPLOYEES = {"small": "9", "large": "10", None: None}
# EUR to USD on the day before each as_of; of GBP there is no rate
DOLLARS = {date(2025, 11, 30): "1.25", date(2025, 12, 31): "1.20"}
MONEY = pa.decimal128(18, 4)
SHARE = pa.decimal128(7, 6)


@dataclass(frozen=True)
class Account:
    """An account with its revenue in both windows, in ten-thousandths."""

    revenue: tuple[int, int]
    industry: str | None
    size_band: str | None
    declared: int | None
    currency: str | None
    is_excluded: bool


@dataclass(frozen=True)
class Opportunity:
    """An opportunity; days count from the last as_of."""

    account: int
    amount: int | None
    currency: str | None
    millionths: int | None
    closes: int
    is_closed: bool
    is_won: bool
    created: int | None
    updated: int


@dataclass(frozen=True)
class Example:
    """A company with what its policy says of potential."""

    accounts: list[Account]
    opportunities: list[Opportunity]
    window_months: int
    horizon_months: int
    min_peers: int
    quantile_millionths: int


Estimates = dict[tuple[str, date], tuple[Decimal | None, str, int | None]]


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Example], Estimates]]:
    """The compiled models as a function."""
    models = compiled_nodes(tmp_path_factory, PIPELINES, POTENTIALS)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:

        def run(example: Example) -> Estimates:
            for name, table in relations(example).items():
                connection.register(name, table)
            connection.execute(f"create or replace table {PIPELINES} as {models[PIPELINES]}")
            rows = connection.execute(
                "select account_sk, as_of, potential, potential_basis, peer_count "
                f"from ({models[POTENTIALS]})"
            ).fetchall()
            return {(str(sk), as_of): (amount, basis, n) for sk, as_of, amount, basis, n in rows}

        yield run


def relations(example: Example) -> dict[str, pa.Table]:
    """What the models read."""
    numbered = list(enumerate(example.accounts, start=1))
    months = [(as_of, as_of.year * 12 + as_of.month) for as_of in AS_OFS]
    return {
        "stg_run__parameters": table(
            [
                {
                    "reporting_currency": "EUR",
                    "window_months": example.window_months,
                    "horizon_months": example.horizon_months,
                    "min_peers": example.min_peers,
                    "peer_quantile": Decimal(example.quantile_millionths).scaleb(-6),
                    "line_step": Decimal("0.0100"),
                }
            ],
            {"peer_quantile": SHARE, "line_step": pa.decimal128(5, 4)},
        ),
        "int_as_ofs": table([{"as_of": day, "as_of_index": at} for day, at in months]),
        "int_as_ofs_fingerprinted": table(
            [{"as_of": day, "as_of_index": at, "input_fingerprint": at} for day, at in months]
        ),
        "int_exchange_rates_filled": table(
            [
                {
                    "currency": "USD",
                    "rate_for": day,
                    "multiplier": Decimal(100),
                    "half_divisor": int(Decimal(rate) * 100) * Decimal(50),
                    "small_multiplier": 100,
                    "small_half_divisor": int(Decimal(rate) * 100) * 50,
                    "small_amount_limit": Decimal(1000),
                }
                for day, rate in DOLLARS.items()
            ],
            {"multiplier": pa.decimal128(38, 0), "half_divisor": pa.decimal128(38, 0)},
        ),
        "int_accounts": table(
            [
                {
                    "account_sk": number,
                    "industry": account.industry,
                    "size_band": account.size_band,
                    "is_excluded": account.is_excluded,
                    "declared_potential": amount_of(account.declared),
                    "potential_currency": account.currency,
                }
                for number, account in numbered
            ],
            {
                **{"account_sk": pa.int32(), "is_excluded": pa.bool_()},
                **{"declared_potential": MONEY},
                **dict.fromkeys(("industry", "size_band", "potential_currency"), pa.string()),
            },
        ),
        "int_account_windows": table(
            [
                {"account_sk": number, "as_of": day, "as_of_index": at, "revenue": amount_of(units)}
                for number, account in numbered
                for (day, at), units in zip(months, account.revenue, strict=True)
            ],
            {
                **{"account_sk": pa.int32(), "as_of": pa.date32(), "as_of_index": pa.int32()},
                "revenue": MONEY,
            },
        ),
        "int_account_members": table(
            [
                {"account_sk": number, "source_id": str(number)}
                | {"source_entity": "accounts", "source_system": "crm"}
                for number, _ in numbered
            ],
            {
                "account_sk": pa.int32(),
                **dict.fromkeys(("source_id", "source_entity", "source_system"), pa.string()),
            },
        ),
        "stg_crm__opportunities": table(
            [
                {
                    "source_system": "crm",
                    "account_id": str(one.account),
                    "amount": amount_of(one.amount),
                    "currency": one.currency,
                    "probability": None
                    if one.millionths is None
                    else Decimal(one.millionths).scaleb(-6),
                    "close_date": day_of(one.closes),
                    # as staging has it: what is won is closed
                    "is_closed": one.is_closed or one.is_won,
                    "is_won": one.is_won,
                    "created_at": None
                    if one.created is None
                    else datetime.combine(day_of(one.created), time(23, 59)),
                    "updated_at": datetime.combine(day_of(one.updated), time(23, 59)),
                }
                for one in example.opportunities
            ],
            {
                **dict.fromkeys(("source_system", "account_id", "currency"), pa.string()),
                **{"amount": MONEY, "probability": SHARE, "close_date": pa.date32()},
                **dict.fromkeys(("is_closed", "is_won"), pa.bool_()),
                **dict.fromkeys(("created_at", "updated_at"), pa.timestamp("us")),
            },
        ),
    }


def table(rows: list[dict[str, Any]], types: dict[str, pa.DataType] | None = None) -> pa.Table:
    """Rows as a relation; `types` name the columns that an empty or null one cannot tell."""
    names = list(rows[0]) if rows else list(types or {})
    return pa.table(
        {name: pa.array([row[name] for row in rows], (types or {}).get(name)) for name in names}
    )


def amount_of(units: int | None) -> Decimal | None:
    """Ten-thousandths as an amount."""
    return None if units is None else Decimal(units).scaleb(-4)


def day_of(days: int) -> date:
    """A day counted from the last as_of."""
    return AS_OFS[-1] + timedelta(days=days)


def text(value: object) -> str | None:
    return None if value is None else str(value)


def reference(example: Example) -> Estimates:
    """What the reference says of both as_ofs."""
    numbered = list(enumerate(example.accounts, start=1))
    rates = pd.DataFrame(
        [
            {"rate_date": str(day), "from_currency": "EUR", "to_currency": "USD", "rate": rate}
            for day, rate in DOLLARS.items()
        ]
    )
    accounts = pd.DataFrame(
        [
            {
                "account_key": str(number),
                "is_excluded": account.is_excluded,
                "industry": account.industry,
                "employee_count": EMPLOYEES[account.size_band],
                "declared_potential": text(amount_of(account.declared)),
                "potential_currency": account.currency,
            }
            for number, account in numbered
        ],
        dtype=object,
    )
    opportunities = pd.DataFrame(
        [
            {
                "account_key": str(one.account),
                "amount": text(amount_of(one.amount)),
                "currency": one.currency,
                "probability": None
                if one.millionths is None
                else str(Decimal(one.millionths).scaleb(-6)),
                "close_date": str(day_of(one.closes)),
                "is_closed": str(one.is_closed),
                "is_won": str(one.is_won),
                "created_at": None if one.created is None else str(day_of(one.created)),
                "updated_at": str(day_of(one.updated)),
            }
            for one in example.opportunities
        ],
        dtype=object,
    )
    rules = PotentialRules(
        example.window_months,
        example.horizon_months,
        example.min_peers,
        Decimal(example.quantile_millionths).scaleb(-6),
        BANDS,
    )
    found: Estimates = {}
    for month, as_of in enumerate(AS_OFS):
        revenue = {str(n): amount_of(account.revenue[month]) for n, account in numbered}
        estimates: dict[str, Potential] = potentials(
            accounts,
            {key: amount for key, amount in revenue.items() if amount is not None},
            None if opportunities.empty else opportunities,
            as_of=as_of,
            converter=make_converter(rates, "EUR", max_rate_age_days=0),
            rules=rules,
        )
        for key, potential in estimates.items():
            found[key, as_of] = (potential.amount, potential.basis, potential.peer_count)
    return found


# few distinct values make ties, odd ones make halves to be rounded
UNITS = st.one_of(
    st.integers(-2, 6).map(lambda amount: amount * 10_000), st.integers(0, 10**9), st.just(0)
)
CURRENCIES = st.sampled_from([None, "EUR", "USD", "GBP"])
ACCOUNTS = st.builds(
    Account,
    revenue=st.tuples(UNITS, UNITS),
    industry=st.sampled_from(["timber", "timber", "paper", None]),
    size_band=st.sampled_from(["small", "small", "large", None]),
    declared=st.one_of(st.none(), st.none(), st.integers(0, 10**10)),
    currency=CURRENCIES,
    is_excluded=st.sampled_from([False, False, False, True]),
)
OPPORTUNITIES = st.builds(
    Opportunity,
    account=st.integers(1, 9),
    amount=st.one_of(st.none(), st.integers(0, 10**9)),
    currency=CURRENCIES,
    millionths=st.one_of(st.none(), st.integers(0, 1_000_000)),
    closes=st.one_of(st.sampled_from([-32, -31, -1, 0, 364, 365]), st.integers(-90, 400)),
    is_closed=st.booleans(),
    is_won=st.booleans(),
    created=st.one_of(st.none(), st.integers(-60, 5)),
    updated=st.one_of(st.sampled_from([-32, -31, -1, 0]), st.integers(-60, 5)),
)
EXAMPLES = st.builds(
    Example,
    accounts=st.lists(ACCOUNTS, min_size=1, max_size=9),
    opportunities=st.lists(OPPORTUNITIES, max_size=9),
    window_months=st.sampled_from([12, 12, 6, 7, 24]),
    horizon_months=st.sampled_from([12, 12, 6, 7]),
    min_peers=st.integers(1, 4),
    quantile_millionths=st.one_of(
        st.sampled_from([750_000, 500_000, 1_000_000]), st.integers(1, 10**6)
    ),
)


@settings(max_examples=120, deadline=None)
@given(example=EXAMPLES)
def test_potentials_are_the_references_on_any_company(
    measure: Callable[[Example], Estimates], example: Example
) -> None:
    assert measure(example) == reference(example)
