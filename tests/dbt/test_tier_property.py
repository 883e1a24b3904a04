"""The SQL that cuts and ranks the tiers, held against the reference on made-up portfolios.

The two models are compiled once by dbt; then their text runs in an in-memory DuckDB over relations
filled from each example. So what is tested is the SQL that runs in the warehouse, without a
warehouse.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference import CrossingAccount, SchemeRule, tier_accounts

DBT = Path(__file__).parents[2] / "dbt"
TIERS_MODEL = "int_account_scheme_tiers"
RANKS_MODEL = "int_account_scheme_ranks"
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
        ("is_ranked", pa.bool_()),
    ]
)
CUTS_SCHEMA = pa.schema(
    [
        ("scheme", pa.string()),
        ("tier", pa.string()),
        ("tier_rank", pa.int32()),
        ("cut_millionths", pa.int64()),
        ("crossing_account", pa.string()),
    ]
)
POLICY_CUTS = (800_000, 950_000)
TIER_COLUMNS = ("tier", "tier_reason", "share", "share_before", "distance")
RANK_COLUMNS = ("rank", "cumulative_share", "cumulative_share_net", "tier", "share_before")
RunModels = Callable[[list["Account"], tuple[int, ...]], tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Account:
    """One account of an example: its value in each month in ten-thousandths (None: no sales)."""

    units: tuple[int | None, ...]
    population: str = "all"
    is_ranked: bool = True
    reason_without_value: str = "no_sales"


def portfolio(*amounts: int | None) -> list[Account]:
    """Ranked accounts of one population with whole amounts, the same in every month."""
    return [
        Account(tuple(None if amount is None else amount * 10_000 for _ in MONTHS))
        for amount in amounts
    ]


@pytest.fixture(scope="module")
def run_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunModels]:
    """The compiled models as a function: tiers of every month, ranks of the last one."""
    models = compiled_models(tmp_path_factory.mktemp("dbt"))
    parameters = pa.table({"as_of": pa.array([MONTHS[-1]], pa.date32())})
    as_ofs = pa.table({"as_of": pa.array(MONTHS, pa.date32()), "input_fingerprint": [1, 2]})
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("int_as_ofs_fingerprinted", as_ofs)

        def run(
            accounts: list[Account], cuts: tuple[int, ...]
        ) -> tuple[pd.DataFrame, pd.DataFrame]:
            connection.register("stg_run__parameters", parameters)
            connection.register("int_account_scheme_values", value_rows(accounts))
            connection.register("int_accounts", account_rows(accounts))
            connection.register("stg_run__cut_points", cut_rows(cuts))
            connection.execute(f"create or replace table {TIERS_MODEL} as {models[TIERS_MODEL]}")
            return (
                fetched(
                    connection,
                    f"select * from {TIERS_MODEL} inner join int_accounts using (account_sk)",
                ),
                fetched(connection, models[RANKS_MODEL]).rename(columns={"value_rank": "rank"}),
            )

        yield run


def fetched(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """A query's rows as Python objects: DuckDB's own data frame would turn decimals into floats."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or []]
    return pd.DataFrame(answer.fetchall(), columns=names, dtype=object)


def compiled_models(folder: Path) -> dict[str, str]:
    """Compile both models and name their inputs by their bare names."""
    arguments = ["compile", "--select", TIERS_MODEL, RANKS_MODEL, "--project-dir", str(DBT)]
    arguments += ["--profiles-dir", str(DBT), "--target-path", str(folder / "target")]
    arguments += ["--log-path", str(folder)]
    environment = os.environ | {"KAM_WAREHOUSE": str(folder / "warehouse.duckdb")}
    outcome = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, f"dbt cannot compile the models:\n{outcome.stdout[-3000:]}"
    nodes = json.loads((folder / "target" / "manifest.json").read_text())["nodes"]
    models = {}
    for node in nodes.values():
        if node["name"] in (TIERS_MODEL, RANKS_MODEL):
            sql = str(node["compiled_code"])
            for parent in node["depends_on"]["nodes"]:
                sql = sql.replace(nodes[parent]["relation_name"], nodes[parent]["name"])
            models[str(node["name"])] = sql
    return models


def value_rows(accounts: list[Account]) -> pa.Table:
    """The relation of values: every account in every month, once per crossing rule."""
    rows = [
        {
            "account_sk": number,
            "as_of": as_of,
            "as_of_index": as_of.year * 12 + as_of.month,
            "scheme": scheme,
            "is_primary": scheme == "include",
            "population": account.population,
            "value": amount_of(units),
            "value_reason": account.reason_without_value if units is None else None,
            "is_ranked": account.is_ranked,
        }
        for scheme in CROSSING_RULES
        for number, account in enumerate(accounts, start=1)
        for as_of, units in zip(MONTHS, account.units, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=VALUES_SCHEMA)


def account_rows(accounts: list[Account]) -> pa.Table:
    """The relation of accounts: number and key."""
    numbers = range(1, len(accounts) + 1)
    keys = [key_of(number) for number in numbers]
    return pa.table({"account_sk": pa.array(numbers, pa.int32()), "account_key": keys})


def cut_rows(cuts: tuple[int, ...]) -> pa.Table:
    """The relation of cut points: one scheme per crossing rule, named for it."""
    rows = [
        {
            "scheme": scheme,
            "tier": f"T{rank}",
            "tier_rank": rank,
            "cut_millionths": cut,
            "crossing_account": scheme,
        }
        for scheme in CROSSING_RULES
        for rank, cut in enumerate((*cuts, None), start=1)
    ]
    return pa.Table.from_pylist(rows, schema=CUTS_SCHEMA)


def key_of(number: int) -> str:
    """An account key."""
    return f"crm:accounts:{number:04}"


def amount_of(units: int | None) -> Decimal | None:
    """Ten-thousandths as an amount."""
    return None if units is None else Decimal(units).scaleb(-4)


def reference_tiers(
    accounts: list[Account], cuts: tuple[int, ...], *, scheme: CrossingAccount, month: int
) -> pd.DataFrame:
    """What the reference says of one scheme and month, by account_key."""
    ranked = [(key_of(n), a) for n, a in enumerate(accounts, start=1) if a.is_ranked]
    frame = pd.DataFrame(
        {
            "account_key": pd.Series([key for key, _ in ranked], dtype=object),
            "value": pd.Series([amount_of(a.units[month]) for _, a in ranked], dtype=object),
            "population": pd.Series([a.population for _, a in ranked], dtype=object),
            "value_reason": pd.Series(
                [a.reason_without_value if a.units[month] is None else None for _, a in ranked],
                dtype=object,
            ),
        }
    )
    points = tuple((f"T{rank}", Decimal(cut) / 1_000_000) for rank, cut in enumerate(cuts, start=1))
    return tier_accounts(frame, SchemeRule(points, f"T{len(cuts) + 1}", scheme)).set_index(
        "account_key"
    )


def differences(
    run_models: RunModels, accounts: list[Account], cuts: tuple[int, ...]
) -> list[tuple[Any, ...]]:
    """Every (scheme, month, account, column, SQL, reference) in which the two disagree."""
    tiers, ranks = run_models(accounts, cuts)
    found: list[tuple[Any, ...]] = []
    for scheme in CROSSING_RULES:
        for month, as_of in enumerate(MONTHS):
            theirs = reference_tiers(accounts, cuts, scheme=scheme, month=month)
            at = (scheme, as_of)
            found += differing(tiers, theirs, at=at, columns=TIER_COLUMNS)
            if as_of == MONTHS[-1]:
                found += differing(ranks, theirs, at=at, columns=RANK_COLUMNS)
    return found


def differing(
    measured: pd.DataFrame, theirs: pd.DataFrame, *, at: tuple[str, date], columns: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """The differences in one scheme and month."""
    mine = measured[(measured["scheme"] == at[0]) & (measured["as_of"] == at[1])]
    mine = mine.set_index("account_key")
    if sorted(mine.index) != sorted(theirs.index):
        return [(*at, "rows", sorted(mine.index), sorted(theirs.index))]
    return [
        (*at, key, column, mine.loc[str(key), column], row[column])
        for key, row in theirs.iterrows()
        for column in columns
        if not same(mine.loc[str(key), column], row[column])
    ]


def same(sql: Any, reference: Any) -> bool:
    """Whether a figure of the SQL is the reference's."""
    if pd.isna(sql) or pd.isna(reference):
        return bool(pd.isna(sql) and pd.isna(reference))
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
        pytest.param(
            [*portfolio(70, 20, 10), Account((9_000_000, 9_000_000), is_ranked=False)],
            id="the largest account excluded from ranking",
        ),
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


# few distinct small values make ties and cuts exactly on the line; the others make long sums
VALUE_UNITS = st.one_of(
    st.none(),
    st.integers(-3, 12).map(lambda amount: amount * 10_000),
    st.integers(-30_000, 120_000),
    st.integers(0, 10**18),
)
ACCOUNTS = st.lists(
    st.builds(
        Account,
        units=st.tuples(*[VALUE_UNITS for _ in MONTHS]),
        population=st.sampled_from(["all", "all", "north"]),
        is_ranked=st.sampled_from([True, True, True, False]),
        reason_without_value=st.sampled_from(["no_sales", "margin_unreliable"]),
    ),
    max_size=14,
)
CUTS = st.one_of(
    st.just(POLICY_CUTS),
    st.lists(
        st.one_of(st.sampled_from([500_000, 750_000, 1_000_000]), st.integers(1, 1_000_000)),
        unique=True,
        max_size=4,
    ).map(lambda cuts: tuple(sorted(cuts))),
)


@settings(max_examples=120, deadline=None)
@given(accounts=ACCOUNTS, cuts=CUTS)
def test_tiers_are_the_references_on_any_portfolio(
    run_models: RunModels, accounts: list[Account], cuts: tuple[int, ...]
) -> None:
    assert differences(run_models, accounts, cuts) == []
