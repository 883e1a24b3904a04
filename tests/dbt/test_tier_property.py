"""The SQL that cuts and ranks the tiers, held against the reference on made-up portfolios.

The three models are compiled once by dbt; then their text runs in an in-memory DuckDB over
relations filled from each example: every cut rule, crossing rule, population and month at once. So
what is tested is the SQL that runs in the warehouse, without a warehouse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference import CrossingAccount, CutRule, SchemeRule, tier_accounts
from tests.dbt.compiled import compiled_nodes

TIERS_MODEL = "int_account_scheme_tiers"
RANKS_MODEL = "int_account_scheme_ranks"
CURVES_MODEL = "int_abc_curves_measured"
MODELS = (CURVES_MODEL, TIERS_MODEL, RANKS_MODEL)
CROSSING_RULES: tuple[CrossingAccount, ...] = ("include", "exclude", "nearest")
MONTHS = (date(2025, 12, 1), date(2026, 1, 1))
SHARE_TOLERANCE = (
    2e-12  # the warehouse divides doubles and rounds at 12 places, the reference divides exactly
)
VALUES_SCHEMA = pa.schema(
    [
        ("account_sk", pa.int32()),
        ("as_of", pa.date32()),
        ("as_of_index", pa.int32()),
        ("scheme", pa.string()),
        ("is_primary", pa.bool_()),
        ("population", pa.string()),
        ("value", pa.decimal128(38, 4)),
        ("value_reason", pa.string()),
    ]
)
CUTS_SCHEMA = pa.schema(
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
SCHEMES_SCHEMA = pa.schema([("scheme", pa.string()), ("lowest_tier", pa.string())])
TIER_COLUMNS = ("tier", "tier_reason", "share", "share_before", "distance")
RANK_COLUMNS = ("rank", "cumulative_share", "cumulative_share_net", "tier", "share_before")
# (scheme, month) -> account_key -> row
Measured = dict[tuple[str, date], dict[str, dict[str, Any]]]
RunModels = Callable[[list["Account"], "Cuts"], tuple[Measured, Measured]]


@dataclass(frozen=True)
class Cuts:
    """The cut points of one example, each rule's own, best tier first.

    Attributes:
        shares: of the total, in millionths.
        amounts: in ten-thousandths, falling.
        numbers: of accounts.
        quantiles: shares of the accounts, in millionths.
    """

    shares: tuple[int, ...] = (800_000, 950_000)
    amounts: tuple[int, ...] = (400_000, 50_000)
    numbers: tuple[int, ...] = (1, 3)
    quantiles: tuple[int, ...] = (200_000, 500_000)

    def rows_of(self, rule: CutRule) -> tuple[tuple[int | None, Decimal | None], ...]:
        """(millionths, amount) of each cut point, as the policy writes them."""
        if rule == "abc_curve":
            return ((None, None), (None, None))
        if rule == "absolute_value":
            return tuple((None, amount_of(cut)) for cut in self.amounts)
        if rule == "top_n":
            return tuple((number * 1_000_000, None) for number in self.numbers)
        shares = self.shares if rule == "cumulative_share" else self.quantiles
        return tuple((cut, None) for cut in shares)


@dataclass(frozen=True)
class Scheme:
    """One of the schemes that every example is cut by."""

    rule: CutRule
    crossing: CrossingAccount

    @property
    def name(self) -> str:
        return f"{self.rule} {self.crossing}"

    def reference_rule(self, cuts: Cuts) -> SchemeRule:
        """The scheme as the reference takes it."""
        points = []
        for rank, (millionths, amount) in enumerate(cuts.rows_of(self.rule), start=1):
            cut = amount if millionths is None else Decimal(millionths) / 1_000_000
            points.append((f"T{rank}", cut))
        return SchemeRule(tuple(points), f"T{len(points) + 1}", self.crossing, self.rule)


COUNTED_RULES: tuple[CutRule, ...] = ("cumulative_share", "top_n", "quantile")
SCHEMES = (
    *(Scheme(rule, crossing) for rule in COUNTED_RULES for crossing in CROSSING_RULES),
    # an amount and the curve's own ends have no account that crosses
    Scheme("absolute_value", "include"),
    Scheme("abc_curve", "include"),
)
POLICY_CUTS = Cuts()


@dataclass(frozen=True)
class Account:
    """One account of an example: its value in each month in ten-thousandths (None: no sales)."""

    units: tuple[int | None, ...]
    population: str = "all"
    reason_without_value: str = "no_sales"


def portfolio(*amounts: int | None) -> list[Account]:
    """Accounts of one population with whole amounts, the same in every month."""
    return [
        Account(tuple(None if amount is None else amount * 10_000 for _ in MONTHS))
        for amount in amounts
    ]


@pytest.fixture(scope="module")
def run_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunModels]:
    """The compiled models as a function: tiers of every month, ranks of the last one."""
    models = compiled_nodes(tmp_path_factory, *MODELS)
    parameters = pa.table({"as_of": pa.array([MONTHS[-1]], pa.date32())})
    as_ofs = pa.table(
        {
            "as_of": pa.array(MONTHS, pa.date32()),
            "as_of_index": pa.array([index_of(month) for month in MONTHS], pa.int32()),
            "input_fingerprint": [1, 2],
        }
    )
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("int_as_ofs_fingerprinted", as_ofs)

        def run(accounts: list[Account], cuts: Cuts) -> tuple[Measured, Measured]:
            connection.register("stg_run__parameters", parameters)
            connection.register("int_account_scheme_values", value_rows(accounts))
            connection.register("int_accounts", account_rows(accounts))
            connection.register("stg_run__cut_points", cut_rows(cuts))
            connection.register("stg_run__schemes", scheme_rows(cuts))
            for model in (CURVES_MODEL, TIERS_MODEL):
                connection.execute(f"create or replace table {model} as {models[model]}")
            return (
                fetched(
                    connection,
                    f"select * from {TIERS_MODEL} inner join int_accounts using (account_sk)",
                ),
                fetched(connection, f"select *, value_rank as rank from ({models[RANKS_MODEL]})"),
            )

        yield run


def fetched(connection: duckdb.DuckDBPyConnection, query: str) -> Measured:
    """A query's rows by scheme and month, then by account."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or []]
    found: Measured = {}
    for values in answer.fetchall():
        row = dict(zip(names, values, strict=True))
        rows = found.setdefault((row["scheme"], row["as_of"]), {})
        assert row["account_key"] not in rows
        rows[row["account_key"]] = row
    return found


def value_rows(accounts: list[Account]) -> pa.Table:
    """The relation of values: every account in every month, once per scheme."""
    rows = [
        {
            "account_sk": number,
            "as_of": as_of,
            "as_of_index": index_of(as_of),
            "scheme": scheme.name,
            "is_primary": scheme == SCHEMES[0],
            "population": account.population,
            "value": amount_of(units),
            "value_reason": account.reason_without_value if units is None else None,
        }
        for scheme in SCHEMES
        for number, account in enumerate(accounts, start=1)
        for as_of, units in zip(MONTHS, account.units, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=VALUES_SCHEMA)


def account_rows(accounts: list[Account]) -> pa.Table:
    """The relation of accounts: number and key."""
    numbers = range(1, len(accounts) + 1)
    keys = [key_of(number) for number in numbers]
    return pa.table({"account_sk": pa.array(numbers, pa.int32()), "account_key": keys})


def cut_rows(cuts: Cuts) -> pa.Table:
    """The relation of cut points."""
    rows = [
        {
            "scheme": scheme.name,
            "tier": f"T{rank}",
            "tier_rank": rank,
            "rule": scheme.rule,
            "cut_millionths": millionths,
            "cut_value": amount,
            "crossing_account": scheme.crossing,
        }
        for scheme in SCHEMES
        for rank, (millionths, amount) in enumerate(
            (*cuts.rows_of(scheme.rule), (None, None)), start=1
        )
    ]
    return pa.Table.from_pylist(rows, schema=CUTS_SCHEMA)


def scheme_rows(cuts: Cuts) -> pa.Table:
    """The relation of schemes."""
    rows = [
        {"scheme": scheme.name, "lowest_tier": scheme.reference_rule(cuts).lowest_tier}
        for scheme in SCHEMES
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMES_SCHEMA)


def index_of(month: date) -> int:
    """A month as a number."""
    return month.year * 12 + month.month


def key_of(number: int) -> str:
    """An account key."""
    return f"crm:accounts:{number:04}"


def amount_of(units: int | None) -> Decimal | None:
    """Ten-thousandths as an amount."""
    return None if units is None else Decimal(units).scaleb(-4)


def reference_frame(accounts: list[Account], month: int) -> pd.DataFrame:
    """The accounts of one month as the reference takes them."""
    reasons = [a.reason_without_value if a.units[month] is None else None for a in accounts]
    return pd.DataFrame(
        {
            "account_key": [key_of(number) for number in range(1, len(accounts) + 1)],
            "value": [amount_of(account.units[month]) for account in accounts],
            "population": [account.population for account in accounts],
            "value_reason": reasons,
        },
        dtype=object,
    )


def reference_tiers(frame: pd.DataFrame, rule: SchemeRule) -> dict[str, dict[str, Any]]:
    """What the reference says of one scheme and month, by account_key."""
    rows = tier_accounts(frame, rule).to_dict("records")
    return {str(row["account_key"]): row for row in rows}  # type: ignore[misc]


def differences(
    run_models: RunModels, accounts: list[Account], cuts: Cuts
) -> list[tuple[Any, ...]]:
    """Every (scheme, month, account, column, SQL, reference) in which the two disagree."""
    tiers, ranks = run_models(accounts, cuts)
    found: list[tuple[Any, ...]] = []
    frames = [reference_frame(accounts, month) for month in range(len(MONTHS))]
    for scheme in SCHEMES:
        for frame, as_of in zip(frames, MONTHS, strict=True):
            theirs = reference_tiers(frame, scheme.reference_rule(cuts))
            at = (scheme.name, as_of)
            found += differing(tiers, theirs, at=at, columns=TIER_COLUMNS)
            if as_of == MONTHS[-1]:
                found += differing(ranks, theirs, at=at, columns=RANK_COLUMNS)
    return found


def differing(
    measured: Measured,
    theirs: dict[str, dict[str, Any]],
    *,
    at: tuple[str, date],
    columns: tuple[str, ...],
) -> list[tuple[Any, ...]]:
    """The differences in one scheme and month."""
    mine = measured.get(at, {})
    if sorted(mine) != sorted(theirs):
        return [(*at, "rows", sorted(mine), sorted(theirs))]
    return [
        (*at, key, column, mine[key][column], row[column])
        for key, row in theirs.items()
        for column in columns
        if not same(mine[key][column], row[column])
    ]


def same(sql: Any, reference: Any) -> bool:
    """Whether a figure of the SQL is the reference's."""
    # None, NaN and pandas' own nothing; NaN alone is not equal to itself
    nothing = [cell is None or cell is pd.NA or cell != cell for cell in (sql, reference)]
    if any(nothing):
        return all(nothing)
    if isinstance(sql, float):
        return abs(sql - float(reference)) <= SHARE_TOLERANCE
    # the mart has one word for both: that no account at all is positive is said by a check
    return bool(sql == ("non_positive" if reference == "no_positive_total" else reference))


@pytest.mark.parametrize(
    "accounts",
    [
        pytest.param([], id="no account"),
        pytest.param(portfolio(7), id="one account"),
        pytest.param(portfolio(None), id="one account without sales"),
        pytest.param(portfolio(97, 2, 1), id="97% in one account"),
        pytest.param(portfolio(80, 15, 5), id="cuts exactly on the lines"),
        pytest.param(portfolio(75, 5, 5, 5, 5, 5), id="ties across both lines"),
        pytest.param(portfolio(60, 40), id="both sides equally near"),
        pytest.param(portfolio(5, 5, 5, 5), id="all equal"),
        pytest.param(portfolio(100, 0, -40, None), id="zero, negative and null"),
        pytest.param(portfolio(0, -1, None), id="no positive value"),
        pytest.param(portfolio(0, 0), id="total of zero"),
        pytest.param(portfolio(10, -10), id="net total of zero"),
        pytest.param(portfolio(10, -500), id="net total below zero"),
        pytest.param(
            [Account((8_000_000_000_000_001,) * 2), Account((2_000_000_000_000_000,) * 2)],
            id="the line passed by a ten-thousandth of 800 billion",
        ),
        pytest.param(portfolio(41, 40, 39, 6, 5, 4, 4, 3), id="amounts and numbers at the lines"),
        pytest.param(portfolio(9, 9, 1, 1, 1, 1, 1, 1, 1, 1), id="a tie at the curve's end"),
        pytest.param(portfolio(100, 60, 30, 20, 10, 5, 3, 2, 1, 1), id="a curve as in books"),
        pytest.param(
            [
                *portfolio(70, 20, 10),
                Account((9_000_000, 100_000), population="north"),
                Account((200_000, 200_000), population="north"),
            ],
            id="two populations",
        ),
    ],
)
def test_tiers_of_named_cases_are_the_references(
    run_models: RunModels, accounts: list[Account]
) -> None:
    assert differences(run_models, accounts, POLICY_CUTS) == []


# few distinct small values make ties and cuts exactly on the line; the others make long sums; the
# way from the lowest to the highest fits the marts' decimal(18, 4), below 10^14
VALUE_UNITS = st.one_of(
    st.none(),
    st.integers(-3, 12).map(lambda amount: amount * 10_000),
    st.integers(-30_000, 120_000),
    st.integers(0, 10**18 - 30_001),
)
ACCOUNTS = st.lists(
    st.builds(
        Account,
        units=st.tuples(*[VALUE_UNITS for _ in MONTHS]),
        population=st.sampled_from(["all", "all", "north", "unknown"]),
        reason_without_value=st.sampled_from(["no_sales", "margin_unreliable"]),
    ),
    max_size=14,
)
SHARES = st.lists(
    st.one_of(st.sampled_from([500_000, 750_000, 1_000_000]), st.integers(1, 1_000_000)),
    unique=True,
    max_size=4,
).map(lambda cuts: tuple(sorted(cuts)))
CUTS = st.one_of(
    st.just(POLICY_CUTS),
    st.builds(
        Cuts,
        shares=SHARES,
        amounts=st.lists(
            st.one_of(
                st.integers(1, 12).map(lambda amount: amount * 10_000),
                st.integers(1, 120_000),
                st.integers(1, 10**17 - 1),
            ),
            unique=True,
            max_size=4,
        ).map(lambda cuts: tuple(sorted(cuts, reverse=True))),
        numbers=st.lists(
            st.one_of(st.integers(1, 14), st.integers(1, 10**9)), unique=True, max_size=4
        ).map(lambda cuts: tuple(sorted(cuts))),
        quantiles=SHARES,
    ),
)


@settings(max_examples=120, deadline=None)
@given(accounts=ACCOUNTS, cuts=CUTS)
def test_tiers_are_the_references_on_any_portfolio(
    run_models: RunModels, accounts: list[Account], cuts: Cuts
) -> None:
    assert differences(run_models, accounts, cuts) == []
