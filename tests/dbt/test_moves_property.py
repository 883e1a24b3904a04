"""The SQL that finds what moved an account, held against the reference on made-up histories.

The models are compiled once by dbt and run in an in-memory DuckDB over final tiers that the reference
itself made: every cut rule, populations, potentials, overrides and patience.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference import none_if_null, tier_accounts
from dagster_project.lib.reference_history import final_tiers, move_causes
from tests.dbt.compiled import compiled_nodes
from tests.dbt.test_tier_property import (
    CUTS_SCHEMA,
    SCHEMES,
    VALUES_SCHEMA,
    Cuts,
    Scheme,
    amount_of,
    index_of,
    key_of,
)

CURVES_MODEL = "int_abc_curves_measured"
MOVE_MODELS = ("int_tier_moves_found", "int_tier_moves_replayed", "int_tier_moves_explained")
MONTHS = [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
TIERS = ("T1", "T2", "T3")
PATIENCE = 2
# what potential changes: one place up where it is the best
MATRIX = {
    (value, potential): TIERS[max(0, TIERS.index(value) - (potential == "T1"))]
    for value in TIERS
    for potential in (*TIERS, "none")
}
MONEY, TEXT, NUMBER = pa.decimal128(18, 4), pa.string(), pa.int32()
FINAL_COLUMNS = {
    "account_sk": NUMBER,
    "account_key": TEXT,
    "as_of": pa.date32(),
    "as_of_index": NUMBER,
    "value": MONEY,
    "value_population": TEXT,
    "potential_tier": TEXT,
    "raw_tier_rank": NUMBER,
    "stable_tier_rank": NUMBER,
    "override_tier": TEXT,
    "final_tier": TEXT,
    "final_tier_rank": NUMBER,
}
NAMES = ("raw", "stable", "final")
# value of each month in whole amounts (None: no sales), potential of each month, population, and
# the month from which an override to T1 stands
AccountHistory = tuple[tuple[int | None, ...], tuple[str | None, ...], str, int | None]
RunModels = Callable[[pd.DataFrame, Scheme, Cuts], list[tuple[Any, ...]]]


def plain(*values: int | None) -> AccountHistory:
    """An account whose value alone can move it."""
    return values, (None,) * len(MONTHS), "all", None


@pytest.fixture(scope="module")
def run_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunModels]:
    """The compiled models as a function of the reference's history."""
    models = compiled_nodes(tmp_path_factory, CURVES_MODEL, *MOVE_MODELS)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:

        def fill(name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
            connection.register(name, pa.Table.from_pylist(rows, schema=schema))

        def run(history: pd.DataFrame, scheme: Scheme, cuts: Cuts) -> list[tuple[Any, ...]]:
            rows = [
                {str(name): none_if_null(value) for name, value in row.items()}
                for row in history.to_dict("records")
            ]
            ranks = {tier: rank for rank, tier in enumerate(TIERS, start=1)}
            finals, valued = [], []
            for row in rows:
                common = {
                    "account_sk": int(row["account_key"][-4:]),
                    "as_of": row["as_of"],
                    "as_of_index": index_of(row["as_of"]),
                    "value": row["value"],
                }
                finals.append(
                    row
                    | common
                    | {"value_population": row["population"]}
                    | {f"{name}_tier_rank": ranks[row[f"{name}_tier"]] for name in NAMES}
                )
                valued.append(
                    common
                    | {
                        "scheme": scheme.name,
                        "is_primary": True,
                        "population": row["population"],
                    }
                )
            columns = [(name, kind) for name, kind in FINAL_COLUMNS.items()]
            finals = [{name: row[name] for name, _ in columns} for row in finals]
            fill("int_account_final_tiers", finals, pa.schema(columns))
            fill("int_account_scheme_values", valued, VALUES_SCHEMA)
            curve: dict[tuple[date, str], int] = {}
            for row in valued:
                if row["value"] is not None and row["value"] > 0:
                    at = (row["as_of"], row["population"])
                    curve[at] = curve.get(at, 0) + row["value"]
            with_totals = [
                {**row, "total": curve.get((row["as_of"], row["population"]))} for row in valued
            ]
            fill(
                "int_account_scheme_tiers",
                with_totals,
                VALUES_SCHEMA.append(pa.field("total", pa.decimal128(27, 4))),
            )
            fill("stg_run__cut_points", cut_rows(scheme, cuts), CUTS_SCHEMA)
            fill(
                "stg_run__schemes",
                [{"scheme": scheme.name, "lowest_tier": TIERS[-1]}],
                pa.schema([("scheme", TEXT), ("lowest_tier", TEXT)]),
            )
            for model in (CURVES_MODEL, *MOVE_MODELS):
                connection.execute(f"create or replace table {model} as {models[model]}")
            return connection.execute(
                "select account_key, as_of, from_tier, to_tier, move_cause "
                f"from {MOVE_MODELS[-1]} order by all"
            ).fetchall()

        last = index_of(MONTHS[-1])
        fill(
            "int_as_ofs_fingerprinted",
            [
                {"as_of": day, "as_of_index": index_of(day), "input_fingerprint": 1}
                for day in MONTHS
            ],
            pa.schema(
                [("as_of", pa.date32()), ("as_of_index", NUMBER), ("input_fingerprint", pa.int64())]
            ),
        )
        connection.execute(
            f"create table stg_run__parameters as select {last} as as_of_month_index, "
            f"{len(MONTHS) - 1} as history_months, 'primary' as primary_scheme"
        )
        fill(
            "tier_matrix",
            [
                {"value_tier": value, "potential_tier": potential, "final_tier": final}
                for (value, potential), final in MATRIX.items()
            ],
            pa.schema([(name, TEXT) for name in ("value_tier", "potential_tier", "final_tier")]),
        )
        models = {
            name: sql.replace("parameters.primary_scheme", "cut_points.scheme")
            for name, sql in models.items()
        }
        yield run


def cut_rows(scheme: Scheme, cuts: Cuts) -> list[dict[str, Any]]:
    """The cut points of one scheme."""
    return [
        {
            "scheme": scheme.name,
            "tier": tier,
            "tier_rank": rank,
            "rule": scheme.rule,
            "cut_millionths": millionths,
            "cut_value": amount,
            "crossing_account": scheme.crossing,
        }
        for rank, (tier, (millionths, amount)) in enumerate(
            zip(TIERS, (*cuts.rows_of(scheme.rule), (None, None)), strict=True), start=1
        )
    ]


def decide(value_tier: str, potential_tier: str | None) -> str:
    """The decision table."""
    return MATRIX[value_tier, potential_tier or "none"]


def reference_history(accounts: list[AccountHistory], scheme: Scheme, cuts: Cuts) -> pd.DataFrame:
    """Tiers of every account and month, as the reference has them."""
    rule = scheme.reference_rule(cuts)
    parts = []
    for at, day in enumerate(MONTHS):
        frame = pd.DataFrame(
            [
                (key_of(n), day, population, amount_of(None if v is None else v * 10_000), p)
                for n, (values, potentials, population, _) in enumerate(accounts, start=1)
                for v, p in [(values[at], potentials[at])]
            ],
            columns=["account_key", "as_of", "population", "value", "potential_tier"],
            dtype=object,
        )
        tiers = tier_accounts(frame, rule)["tier"]
        potentials = [none_if_null(p) for p in frame["potential_tier"]]
        frame["raw_tier"] = [decide(t, p) for t, p in zip(tiers, potentials, strict=True)]
        parts.append(frame)
    history = pd.concat(parts, ignore_index=True)
    overrides = pd.DataFrame(
        [
            (key_of(n), "T1", MONTHS[begun], MONTHS[-1])
            for n, (_, _, _, begun) in enumerate(accounts, start=1)
            if begun is not None
        ],
        columns=["account_key", "tier", "valid_from", "valid_to"],
    )
    finals = final_tiers(
        history,
        tiers=TIERS,
        patience=PATIENCE,
        new_customer_months=6,
        first_invoices={},
        overrides=overrides,
    )
    for name in ("stable_tier", "override_tier", "final_tier"):
        history[name] = finals[name]
    history["classified_account_key"] = history["account_key"]
    return history


def expected_causes(history: pd.DataFrame, scheme: Scheme, cuts: Cuts) -> list[tuple[Any, ...]]:
    """What the reference says of the moves."""
    curve = history[history["value"].map(lambda value: none_if_null(value) is not None)]
    causes = move_causes(
        history,
        curve[["as_of", "account_key", "population", "value"]],
        rule=scheme.reference_rule(cuts),
        decide=decide,
    )
    rows = causes.itertuples(index=False, name=None)
    return sorted(tuple(none_if_null(value) for value in row) for row in rows)


VALUES = st.one_of(st.none(), st.integers(min_value=-3, max_value=12))
ACCOUNTS = st.tuples(
    st.tuples(*[VALUES] * len(MONTHS)),
    st.tuples(*[st.sampled_from([None, None, "T1", "T2"])] * len(MONTHS)),
    st.sampled_from(["all", "all", "FR"]),
    st.sampled_from([None, None, None, 1, 3]),
)
CUTS = Cuts(shares=(600_000, 900_000), amounts=(60_000, 20_000), numbers=(1, 3))


@settings(max_examples=60, deadline=None)
@given(
    accounts=st.lists(ACCOUNTS, min_size=1, max_size=6),
    scheme=st.sampled_from(SCHEMES),
)
@example(accounts=[plain(10, 10, 10, 10), plain(8, 8, 9, 9)], scheme=SCHEMES[0])
@example(accounts=[plain(9, 9, 9, 9), plain(9, 9, 9, 3), plain(1, 1, 9, 9)], scheme=SCHEMES[0])
def test_causes_are_the_references_on_any_history(
    run_models: RunModels, accounts: list[AccountHistory], scheme: Scheme
) -> None:
    history = reference_history(accounts, scheme, CUTS)
    assert run_models(history, scheme, CUTS) == expected_causes(history, scheme, CUTS)


def test_a_value_is_put_into_the_portfolio_of_then_not_held_against_its_smallest_member(
    run_models: RunModels,
) -> None:
    # 100 + 40 + 5: the largest alone passes 60 %, so 100 is the smallest value in T1. The second grows
    # to 90: with the portfolio as it was, 100 of 195 are not 60 %, so it is T1 by its own value.
    accounts = [plain(100, 100, 100, 100), plain(40, 40, 40, 90), plain(5, 5, 5, 5)]
    history = reference_history(accounts, SCHEMES[0], CUTS)
    assert run_models(history, SCHEMES[0], CUTS) == [
        (key_of(2), MONTHS[-1], "T2", "T1", "own_value")
    ]
    last_month = history[history["as_of"] == MONTHS[-2]]
    assert min(last_month.loc[last_month["final_tier"] == "T1", "value"]) == Decimal(100)
