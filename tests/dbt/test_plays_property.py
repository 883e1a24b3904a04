"""The SQL that finds signals, chooses plays and estimates whitespace, held against the reference on any accounts.

The models are compiled once by dbt; then their text runs in an in-memory DuckDB over relations filled from
each example.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference_plays import (
    Buyer,
    Estimate,
    Facts,
    PeerRule,
    Play,
    SizeBand,
    ranked_plays,
    signals,
    whitespace,
)
from tests.dbt.compiled import compiled_nodes
from tests.unit.test_playbook import TRIGGERS

WHITESPACE_MODELS = (
    "int_account_families_bought",
    "int_accounts_segmented",
    "int_segment_families_bought",
    "int_whitespace_estimated",
)
PLAYS_MODEL, SIGNALS_MODEL = "int_account_plays_ranked", "int_account_signals"
AS_OF = date(2026, 1, 1)
AS_OF_INDEX = 2026 * 12 + 1
BANDS = (SizeBand("small", 0, 9), SizeBand("medium", 10, 49), SizeBand("large", 50, None))
MONEY = pa.decimal128(18, 4)
Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Warehouse:
    """The compiled models, and a database to run them in."""

    connection: Connection
    models: dict[str, str]

    def build(self, name: str) -> None:
        self.connection.execute(f"create or replace table {name} as {self.models[name]}")

    def fill(self, name: str, rows: list[dict[str, Any]], schema: dict[str, pa.DataType]) -> None:
        table = pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items())))
        self.connection.register("incoming", table)
        self.connection.execute(f"create or replace table {name} as select * from incoming")

    def rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    names = (*WHITESPACE_MODELS, PLAYS_MODEL, SIGNALS_MODEL)
    models = compiled_nodes(tmp_path_factory, *names)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield Warehouse(connection, models)


def key_of(number: int) -> str:
    return f"crm:accounts:{number:04}"


def fill_triggers(warehouse: Warehouse, thresholds: dict[str, Decimal]) -> None:
    rows = [
        {"play_trigger": name, "urgency": place, "threshold": thresholds.get(name)}
        for place, name in enumerate(TRIGGERS, start=1)
    ]
    schema = {
        "play_trigger": pa.string(),
        "urgency": pa.int32(),
        "threshold": pa.decimal128(7, 6),
    }
    warehouse.fill("play_triggers", rows, schema)


def estimated(warehouse: Warehouse, accounts: list[Buyer], rule: PeerRule) -> dict[Any, Estimate]:
    """What the models say, in the reference's words."""
    fill_triggers(warehouse, {"whitespace": rule.threshold})
    warehouse.fill(
        "stg_run__parameters",
        [
            {
                "min_peers": rule.min_peers,
                "peer_quantile": rule.quantile,
                "window_months": rule.window_months,
            }
        ],
        {
            "min_peers": pa.int32(),
            "peer_quantile": pa.decimal128(7, 6),
            "window_months": pa.int32(),
        },
    )
    numbered = list(enumerate(accounts, start=1))
    warehouse.fill(
        "int_accounts",
        [
            {
                "account_sk": n,
                "account_key": key_of(n),
                "industry": a.industry,
                "size_band": next(
                    (
                        b.name
                        for b in rule.bands
                        if a.employees is not None and b.holds(a.employees)
                    ),
                    None,
                ),
                "is_active": a.is_active,
                "is_excluded": a.is_excluded,
            }
            for n, a in numbered
        ],
        {
            "account_sk": pa.int64(),
            "account_key": pa.string(),
            "industry": pa.string(),
            "size_band": pa.string(),
            "is_active": pa.bool_(),
            "is_excluded": pa.bool_(),
        },
    )
    member = {"account_sk": pa.int64(), "source_system": pa.string()}
    member |= {"source_entity": pa.string(), "source_id": pa.string()}
    warehouse.fill(
        "int_account_members",
        [
            {
                "account_sk": n,
                "source_system": "erp",
                "source_entity": entity,
                "source_id": f"C{n}{part}",
            }
            for n, _ in numbered
            for entity, part in (("customers", "a"), ("customers", "b"), ("accounts", "a"))
        ],
        member,
    )
    # each amount lies with two customers of the account, in two months: half a unit must not be lost
    warehouse.fill(
        "int_customer_family_months",
        [
            {
                "source_system": "erp",
                "customer_id": f"C{n}{part}",
                "month_index": AS_OF_INDEX - months,
                "product_family": family,
                "revenue": amount + share if part == "a" else -share,
                "line_count": 1,
            }
            for n, account in numbered
            for family, amount in account.families.items()
            for part, months, share in (("a", 1, Decimal("3.5")), ("b", 2, Decimal("3.5")))
        ],
        {
            "source_system": pa.string(),
            "customer_id": pa.string(),
            "month_index": pa.int32(),
            "product_family": pa.string(),
            "revenue": MONEY,
            "line_count": pa.int64(),
        },
    )
    for name in WHITESPACE_MODELS:
        warehouse.build(name)
    found = {}
    for row in warehouse.rows("select * from int_whitespace_estimated"):
        assert row["estimate_basis"] == ("none" if row["peer_count"] is None else "peers")
        found[row["account_key"], row["product_family"]] = Estimate(
            buys=row["buys"],
            revenue=row["revenue"],
            peer_count=row["peer_count"],
            peers_buying_count=row["peers_buying_count"],
            peer_wallet_millionths=row["wallet_millionths"],
            peer_revenue=row["peer_revenue"],
            estimated_potential=row["estimated_potential"],
            method=row["estimate_method"],
            is_whitespace=row["is_whitespace"],
        )
    return found


# few distinct small amounts make ties and equal parts; the others long sums and parts that differ late
AMOUNTS = st.one_of(
    st.integers(-2, 6).map(Decimal),
    st.integers(-30_000, 120_000).map(lambda units: Decimal(units).scaleb(-4)),
    st.integers(1, 10**16).map(lambda units: Decimal(units).scaleb(-4)),
)
BUYERS = st.builds(
    Buyer,
    industry=st.sampled_from(["metal", "metal", "metal", "food", None]),
    employees=st.sampled_from([0, 9, 9, 10, 49, 50, 5_000, None]),
    families=st.dictionaries(
        st.sampled_from(["pumps", "seals", "valves", "unknown"]), AMOUNTS, max_size=4
    ),
    is_active=st.sampled_from([True, True, True, False]),
    is_excluded=st.sampled_from([False, False, False, True]),
)
SHARES = st.one_of(
    st.sampled_from([Decimal(0), Decimal("0.5"), Decimal("0.75"), Decimal(1)]),
    st.integers(0, 1_000_000).map(lambda millionths: Decimal(millionths).scaleb(-6)),
)
RULES = st.builds(
    PeerRule,
    bands=st.just(BANDS),
    min_peers=st.integers(1, 4),
    quantile=SHARES,
    threshold=SHARES,
    window_months=st.sampled_from([12, 12, 6, 7, 1]),
)
QUARTERS = PeerRule(BANDS, min_peers=3, quantile=Decimal("0.75"), threshold=Decimal("0.5"))


def buyer(employees: int = 5, **families: int) -> Buyer:
    return Buyer("metal", employees, {name: Decimal(amount) for name, amount in families.items()})


@settings(max_examples=150, deadline=None)
@given(accounts=st.lists(BUYERS, max_size=12), rule=RULES)
@example(accounts=[buyer(pumps=4, seals=4)] * 4 + [buyer()], rule=QUARTERS)
@example(accounts=[buyer(pumps=4, seals=1)] * 3 + [buyer(seals=2)], rule=QUARTERS)
@example(accounts=[buyer(pumps=4)] * 3 + [buyer(employees=10)], rule=QUARTERS)
@example(accounts=[buyer(pumps=1, unknown=4)] * 4, rule=QUARTERS)
def test_whitespace_is_the_references_on_any_accounts(
    warehouse: Warehouse, accounts: list[Buyer], rule: PeerRule
) -> None:
    wanted = whitespace({key_of(n): a for n, a in enumerate(accounts, start=1)}, rule)
    assert estimated(warehouse, accounts, rule) == wanted


PLAYS = st.lists(
    st.builds(
        Play,
        play_id=st.integers(0, 10**6).map(lambda n: f"play_{n}"),
        tier=st.sampled_from(["A", "B", "*"]),
        posture=st.sampled_from(["defend", "fix", "*"]),
        trigger=st.sampled_from((*TRIGGERS[:3], "always")),
        priority=st.integers(1, 3),
        kind=st.sampled_from(["strategic", "tactical", "social_selling"]),
    ),
    unique_by=lambda play: play.play_id,
    max_size=25,
)
CASES = st.tuples(
    st.sampled_from(["A", "B", "gold"]),
    st.sampled_from(["defend", "fix", "our own word"]),
    st.sets(st.sampled_from(TRIGGERS[:3])).map(lambda triggers: triggers | {"always"}),
)


@settings(max_examples=100, deadline=None)
@given(playbook=PLAYS, cases=st.lists(CASES, max_size=6))
def test_plays_are_the_references_on_any_playbook(
    warehouse: Warehouse, playbook: list[Play], cases: list[tuple[str, str, set[str]]]
) -> None:
    urgency = {name: place for place, name in enumerate(TRIGGERS, start=1)}
    text = pa.string()
    warehouse.fill(
        "tier_plays",
        [
            {
                "play_id": p.play_id,
                "tier": p.tier,
                "posture": p.posture,
                "play_trigger": p.trigger,
                "priority": p.priority,
                "play_kind": p.kind,
            }
            for p in playbook
        ],
        {
            "play_id": text,
            "tier": text,
            "posture": text,
            "play_trigger": text,
            "priority": pa.int32(),
            "play_kind": text,
        },
    )
    warehouse.fill(
        "int_account_tiers_described",
        [
            {
                "account_sk": n,
                "account_key": key_of(n),
                "final_tier": tier,
                "posture": posture,
                "is_active": True,
                "is_excluded": False,
            }
            for n, (tier, posture, _) in enumerate(cases, start=1)
        ],
        {
            "account_sk": pa.int64(),
            "account_key": text,
            "final_tier": text,
            "posture": text,
            "is_active": pa.bool_(),
            "is_excluded": pa.bool_(),
        },
    )
    warehouse.fill(
        SIGNALS_MODEL,
        [
            {"account_sk": n, "play_trigger": trigger, "urgency": urgency[trigger]}
            for n, (_, _, triggers) in enumerate(cases, start=1)
            for trigger in triggers
        ],
        {"account_sk": pa.int64(), "play_trigger": text, "urgency": pa.int32()},
    )
    found: dict[int, list[str]] = {n: [] for n in range(1, len(cases) + 1)}
    for row in warehouse.rows(f"{warehouse.models[PLAYS_MODEL]} order by account_sk, play_rank"):
        found[row["account_sk"]].append(row["play_id"])
        assert row["play_rank"] == len(found[row["account_sk"]])
    assert found == {
        n: [
            play.play_id
            for play in ranked_plays(tier, posture, triggers, playbook=playbook, urgency=urgency)
        ]
        for n, (tier, posture, triggers) in enumerate(cases, start=1)
    }


# products of large amounts must not leave 64 bits unseen
FEW = st.one_of(st.integers(-2, 10), st.sampled_from([8 * 10**13, 10**14 - 1])).map(Decimal)
FACTS = st.builds(
    Facts,
    relationship=st.sampled_from(["customer", "customer", "former", "prospect", "other"]),
    final_tier=st.sampled_from(["A", "B", "C"]),
    potential_tier=st.sampled_from([None, "A", "B", "C"]),
    revenue=FEW,
    revenue_previous=FEW,
    gross_margin=st.one_of(st.none(), FEW),
    turnover=FEW.map(abs),
    costed_turnover=FEW.map(abs),
    has_invoice=st.booleans(),
    is_new_customer=st.booleans(),
    move=st.sampled_from([None, "promoted", "demoted", "appeared"]),
    has_whitespace=st.booleans(),
    has_open_opportunity=st.booleans(),
    risk_reasons=st.frozensets(
        st.sampled_from(["recency", "trend", "margin_slide", "satisfaction", "coverage"])
    ),
    coverage_status=st.sampled_from([None, "under_served", "on_plan", "over_served", "no_plan"]),
)


def fill_facts(warehouse: Warehouse, facts: list[Facts], coverage: Decimal) -> None:
    numbered = list(enumerate(facts, start=1))
    text, number, flag = pa.string(), pa.int64(), pa.bool_()
    warehouse.fill(
        "stg_run__parameters",
        [
            {
                "as_of": AS_OF,
                "as_of_month_index": AS_OF_INDEX,
                "lowest_tier": "C",
                "min_cost_coverage": coverage,
            }
        ],
        {
            "as_of": pa.date32(),
            "as_of_month_index": pa.int32(),
            "lowest_tier": text,
            "min_cost_coverage": pa.decimal128(7, 6),
        },
    )
    described = {
        "account_sk": number,
        "is_active": flag,
        "is_excluded": flag,
        "relationship": text,
        "final_tier": text,
        "is_new_customer": flag,
        "first_invoice_date": pa.date32(),
    }
    amounts = ("revenue", "revenue_previous", "gross_margin", "turnover", "costed_turnover")
    warehouse.fill(
        "int_account_tiers_described",
        [
            {
                "account_sk": n,
                "is_active": True,
                "is_excluded": False,
                "relationship": f.relationship,
                "final_tier": f.final_tier,
                "is_new_customer": f.is_new_customer,
                "first_invoice_date": AS_OF if f.has_invoice else None,
                **{name: getattr(f, name) for name in amounts},
            }
            for n, f in numbered
        ],
        described | dict.fromkeys(amounts, MONEY),
    )
    # what lies a month back must not count
    warehouse.fill(
        "int_account_raw_tiers",
        [
            {"account_sk": n, "as_of_index": AS_OF_INDEX - back, "potential_tier": tier}
            for n, f in numbered
            for back, tier in ((0, f.potential_tier), (1, "A"))
        ],
        {"account_sk": number, "as_of_index": pa.int32(), "potential_tier": text},
    )
    warehouse.fill(
        "int_tier_moves_explained",
        [
            {"account_sk": n, "as_of_index": AS_OF_INDEX - back, "direction": direction}
            for n, f in numbered
            for back, direction in ((0, f.move), (1, "demoted"))
            if direction
        ],
        {"account_sk": number, "as_of_index": pa.int32(), "direction": text},
    )
    warehouse.fill(
        "int_whitespace_estimated",
        [
            {"account_sk": n, "is_whitespace": f.has_whitespace and family != "c"}
            for n, f in numbered
            for family in "abc"
        ],
        {"account_sk": number, "is_whitespace": flag},
    )
    warehouse.fill(
        "int_account_members",
        [
            {
                "account_sk": n,
                "source_system": "crm",
                "source_entity": "accounts",
                "source_id": f"{n}{part}",
            }
            for n, _ in numbered
            for part in "ab"
        ],
        {"account_sk": number, "source_system": text, "source_entity": text, "source_id": text},
    )
    warehouse.fill(
        "int_account_risk_reasons",
        [
            {"account_sk": n, "reason": reason}
            for n, f in numbered
            for reason in sorted(f.risk_reasons)
        ],
        {"account_sk": number, "reason": text},
    )
    warehouse.fill(
        "int_account_coverage",
        [{"account_sk": n, "coverage_status": f.coverage_status} for n, f in numbered],
        {"account_sk": number, "coverage_status": text},
    )
    eve = date(2025, 12, 31)
    shapes = [(AS_OF, True, False), (AS_OF, True, True), (eve, False, False)]
    warehouse.fill(
        "stg_crm__opportunities",
        [
            {
                "source_system": "crm",
                "account_id": f"{n}{part}",
                "close_date": day,
                "is_closed": closed,
                "is_won": won,
            }
            for n, f in numbered
            for part in "ab"
            for day, closed, won in [*shapes, *([(AS_OF, False, False)] * f.has_open_opportunity)]
        ],
        {
            "source_system": text,
            "account_id": text,
            "close_date": pa.date32(),
            "is_closed": flag,
            "is_won": flag,
        },
    )


@settings(max_examples=100, deadline=None)
@given(
    facts=st.lists(FACTS, max_size=8),
    trend=st.sampled_from([Decimal("0.2"), Decimal("0.5"), Decimal("0.0001"), Decimal(1)]),
    coverage=st.sampled_from([Decimal("0.8"), Decimal(0), Decimal(1)]),
)
@example(
    facts=[Facts("customer", "A", revenue=Decimal(8), revenue_previous=Decimal(10))],
    trend=Decimal("0.2"),
    coverage=Decimal("0.8"),
)
def test_signals_are_the_references_on_any_facts(
    warehouse: Warehouse, facts: list[Facts], trend: Decimal, coverage: Decimal
) -> None:
    fill_triggers(warehouse, {"whitespace": Decimal("0.5")})
    warehouse.fill(
        "risk_rules",
        [{"rule": "trend", "threshold": trend}, {"rule": "margin_slide", "threshold": Decimal(0)}],
        {"rule": pa.string(), "threshold": pa.decimal128(9, 4)},
    )
    fill_facts(warehouse, facts, coverage)
    found: dict[int, list[str]] = {n: [] for n in range(1, len(facts) + 1)}
    for row in warehouse.rows(warehouse.models[SIGNALS_MODEL]):
        found[row["account_sk"]].append(row["play_trigger"])
        assert row["urgency"] == TRIGGERS.index(row["play_trigger"]) + 1
    assert {n: sorted(triggers) for n, triggers in found.items()} == {
        n: sorted(signals(f, lowest_tier="C", trend_threshold=trend, min_cost_coverage=coverage))
        for n, f in enumerate(facts, start=1)
    }
