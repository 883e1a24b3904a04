"""The gate's own tests, each on rows that keep its rule and on the same with one value changed.

dbt compiles the tests once; then their text runs in an in-memory DuckDB over relations of a row
or two.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.dbt.compiled import compiled_nodes

Tables = dict[str, list[dict[str, Any]]]
AS_OF = date(2024, 3, 1)
MONTH_INDEX = 2024 * 12 + 3
PARAMETERS = {
    "as_of": AS_OF,
    "as_of_month_index": MONTH_INDEX,
    "window_months": 12,
    "run_at": datetime(2024, 3, 2),
    "reporting_currency": "EUR",
    "primary_scheme": "gross_margin",
    "max_rejected_share": Decimal("0.010000"),
    "min_cost_coverage": Decimal("0.800000"),
    "min_population": 2,
    "override_max_days": 365,
    "max_row_count_drop": Decimal("0.300000"),
}
SCHEME = {"scheme": "gross_margin", "criterion": "gross_margin", "is_primary": True}
CUTS = [
    {"scheme": "gross_margin", "tier": tier, "tier_rank": rank}
    for rank, tier in enumerate("ABC", 1)
]
TIERS = {
    "account_key": "crm:accounts:1",
    "inactive_since": None,
    "as_of": AS_OF,
    "revenue": Decimal("100.0000"),
    "value_tier": "A",
    "raw_tier": "A",
    "stable_tier": "A",
    "override_tier": "B",
    "final_tier": "B",
    "posture": "defend",
    "is_placeholder": False,
    "cap_exceeded": None,
    "waitlist_position": 1,
    "owner_id": "U1",
}
HISTORY = {key: TIERS[key] for key in TIERS if key != "inactive_since"}
LINE_MONTH = {
    "source_system": "erp",
    "month_index": MONTH_INDEX - 1,
    "currency": "EUR",
    "booking": "booked",
    "left_out_reason": None,
    "line_count": 3,
    "revenue": Decimal("100.0000"),
    "revenue_local": Decimal("100.0000"),
}
OVERRIDE = {
    "source_system": "governance",
    "account_id": "1",
    "account_sk": 1,
    "override_tier": "B",
    "reason": "merger",
    "owner": "Ada",
    "valid_from": date(2024, 1, 1),
    "valid_to": date(2024, 6, 30),
    "problem": None,
}
LATER_OVERRIDE = OVERRIDE | {"valid_from": date(2024, 7, 1), "valid_to": date(2024, 9, 30)}
COUNTED = {
    "source_file": "erp/invoice_lines.csv",
    "source_system": "erp",
    "entity": "invoice_lines",
    "rows_read": 300,
    "rows_loaded": 3,
    "rows_superseded": 296,
    "rows_rejected": 1,
    "is_replaced": False,
}
DELIVERY = {
    "delivery_id": "d1",
    "source_file": "erp/invoice_lines.csv",
    "source_system": "erp",
    "entity": "invoice_lines",
    "layout": None,
    "extract_scope": None,
    "extract_name": None,
    "extract_rank": None,
    "rows_read": 300,
    "rows_loaded": 299,
    "is_repeated": False,
    "is_replaced": False,
}
LATEST = DELIVERY | {
    "delivery_id": "d3",
    "source_file": "erp/customers_2.csv",
    "entity": "customers",
    "extract_name": "2",
    "extract_rank": 1,
    "rows_loaded": 70,
}
EARLIER = LATEST | {
    "delivery_id": "d2",
    "source_file": "erp/customers_1.csv",
    "extract_name": "1",
    "extract_rank": 2,
    "rows_loaded": 100,
    "is_replaced": True,
}
EXTRACTS_COUNTED = [
    COUNTED
    | {
        "source_file": extract["source_file"],
        "entity": "customers",
        "rows_loaded": 0 if extract["is_replaced"] else extract["rows_loaded"],
        "rows_superseded": extract["rows_loaded"] if extract["is_replaced"] else 0,
        # of the earlier extract nearly all was rejected: nobody asks any more
        "rows_rejected": 300 - int(str(extract["rows_loaded"])) if extract["is_replaced"] else 0,
        "rows_read": 300 if extract["is_replaced"] else extract["rows_loaded"],
        "is_replaced": extract["is_replaced"],
    }
    for extract in (LATEST, EARLIER)
]
EARLIER["rows_read"], LATEST["rows_read"] = 300, 70
REJECTED = {
    "source_file": "erp/invoice_lines.csv",
    "line_number": 7,
    "entity": "invoice_lines",
    "source_system": "erp",
    "column_name": "invoice_date",
    "raw_value": "hier",
    "rule": "not_a_date",
}
POINTS = [
    {
        "scheme": "gross_margin",
        "population": "all",
        "curve_rank": rank,
        "value": Decimal(value),
        "share_before": before,
        "cumulative_share": through,
        "tier": tier,
    }
    for rank, value, before, through, tier in ((1, 75, 0.0, 0.75, "A"), (2, 25, 0.75, 1.0, "B"))
]
VALUED = [
    {
        "scheme": "gross_margin",
        "population": "all",
        "as_of": AS_OF,
        "value": Decimal(value),
    }
    for value in (75, 25)
]
TABLES: Tables = {
    "stg_run__parameters": [PARAMETERS],
    "stg_run__schemes": [SCHEME],
    "stg_run__cut_points": CUTS,
    "stg_run__override_budgets": [{"tier": "B", "max_share": Decimal("1.000000")}],
    "stg_run__deliveries": [LATEST, DELIVERY, EARLIER],
    "int_deliveries_counted": [COUNTED, *EXTRACTS_COUNTED],
    "revenue_reconciliation": [
        {
            "source_system": "erp",
            "month": date(2024, 2, 1),
            "currency": "EUR",
            "control_amount": Decimal("100.0000"),
            "landed_amount": Decimal("100.0000"),
            "difference": Decimal("0.0000"),
            "status": "agrees",
            "rejected_row_count": 0,
            "rejected_amount": Decimal("0.0000"),
            "unreadable_row_count": 0,
            "unplaced_row_count": 0,
            "left_out_amount": Decimal("0.0000"),
        }
    ],
    "int_invoice_lines_counted": [LINE_MONTH],
    "rejected_rows": [REJECTED],
    "int_accounts": [
        {
            "account_sk": 1,
            "account_key": TIERS["account_key"],
            "is_excluded": False,
            "declared_potential": Decimal("100.0000"),
            "potential_currency": "USD",
        }
    ],
    "account_tiers": [TIERS],
    "account_tier_history": [HISTORY],
    "account_monthly": [{"month": date(2024, 2, 1), "revenue": Decimal("100.0000")}],
    "account_members": [
        {
            "account_key": TIERS["account_key"],
            "source_system": "crm",
            "source_entity": "accounts",
            "source_id": "1",
        },
        {
            "account_key": TIERS["account_key"],
            "source_system": "erp",
            "source_entity": "customers",
            "source_id": "7",
        },
    ],
    "stg_crm__accounts": [{"source_system": "crm", "account_id": "1", "merged_into_id": None}],
    "int_crm_accounts_merged": [{"source_system": "crm", "account_id": "1", "is_cut": False}],
    "stg_erp__customers": [{"source_system": "erp", "customer_id": "7"}],
    **{
        f"stg_crm__{entity}": [
            {"source_system": "crm", "account_id": "1", "activity_date": date(2024, 2, 28)}
        ]
        for entity in ("contacts", "opportunities", "activities", "surveys")
    },
    "tier_moves": [
        {"move_kind": "monthly", "from_tier": "A", "to_tier": "B"},
        # of an earlier policy
        {"move_kind": "restated", "from_tier": "Gold", "to_tier": "B"},
    ],
    "pareto_curve": POINTS,
    "tier_matrix": [{"posture": "defend"}],
    "int_account_windows": [
        {"as_of": AS_OF, "costed_turnover": Decimal(80), "turnover": Decimal(100)}
    ],
    "int_account_scheme_ranks": VALUED,
    "int_account_hierarchies": [{"account_sk": 1, "link_problem": None}],
    "int_overrides_dated": [OVERRIDE, LATER_OVERRIDE],
    "int_activities_timed": [{"activity_type": "call", "direction": "none"}],
    "int_account_activities": [{"activity_count": 1}],
    "activity_durations": [{"activity_type": "call"}],
    "activity_directions": [{"direction": "none"}],
    "account_coverage": [
        {
            "as_of": AS_OF,
            "final_tier": "A",
            "coverage_status": "on_plan",
            "planned_hours": Decimal("40.0000"),
        }
    ],
    "service_balance": [{"account_count": 1, "planned_hours": Decimal("40.0000")}],
    "owner_capacity": [{"account_count": 1, "needed_hours": Decimal("40.0000")}],
}
COST = {
    "source_system": "erp",
    "customer_id": "7",
    "cost_date": date(2024, 2, 28),
    "amount": Decimal("10.0000"),
    "currency": "EUR",
}
TABLES |= {
    "potential_backtest": [
        {
            "metric": "rank_correlation",
            "population": "all",
            "figure": 0.3,
            "minimum": Decimal("0.3"),
            "is_met": True,
            "account_count": 9,
            "potential_as_of": date(2023, 3, 1),
        }
    ],
    "stg_erp__account_costs": [COST],
    "int_exchange_rates_filled": [{"currency": "USD", "rate_for": date(2024, 2, 29)}],
    "stg_crm__opportunities": [
        {
            "source_system": "crm",
            "account_id": "1",
            "amount": Decimal("10.0000"),
            "currency": "EUR",
            "close_date": AS_OF,
            "is_closed": False,
        }
    ],
    "int_account_members": [
        {
            "account_sk": 1,
            "source_system": "erp",
            "source_entity": "customers",
            "source_id": "7",
            "member_key": "erp:customers:7",
        }
    ],
    "int_suppressions_normalised": [
        {"delivery_id": "d1", "line_number": 2, "misread": None, "account_id": "7"}
    ],
}
TABLES["int_invoice_lines_unconvertible"] = [
    {"source_system": "erp", "currency": currency, "invoice_date": date(2024, 2, day)}
    for currency, day in (("USD", 3), ("GBP", 4), ("USD", 28))
]
BREACHES = [
    ("every_potential_has_a_rate", "int_accounts", "potential_currency", "GBP"),
    ("every_potential_has_a_rate", "stg_crm__opportunities", "currency", "GBP"),
    ("potential_predicts_revenue", "potential_backtest", "is_met", False),
    ("caps_are_kept", "account_tiers", "cap_exceeded", "total"),
    ("every_account_cost_is_counted", "stg_erp__account_costs", "customer_id", "8"),
    ("every_account_cost_is_counted", "stg_erp__account_costs", "currency", "GBP"),
    ("rows_in_are_loaded_superseded_or_rejected", "int_deliveries_counted", "rows_loaded", 4),
    ("rows_in_are_loaded_superseded_or_rejected", "int_deliveries_counted", "source_file", "x"),
    ("rejected_rows_are_kept", "rejected_rows", "source_file", "erp/other.csv"),
    ("rejected_rows_are_kept", "rejected_rows", "entity", "customers"),
    ("full_extracts_do_not_shrink", "stg_run__deliveries", "rows_loaded", 69),
    ("control_totals_are_met", "revenue_reconciliation", "status", "differs"),
    (
        "control_totals_are_met_without_rejected_rows",
        "revenue_reconciliation",
        "status",
        "explained",
    ),
    ("revenue_meets_accepted_lines", "account_monthly", "revenue", Decimal("100.0100")),
    ("revenue_meets_accepted_lines", "account_tiers", "revenue", Decimal("99.9900")),
    ("revenue_meets_accepted_lines", "int_invoice_lines_counted", "revenue", Decimal("0.0000")),
    ("every_line_is_booked_left_out_or_rejected", "int_invoice_lines_counted", "line_count", 4),
    ("every_line_is_booked_left_out_or_rejected", "rejected_rows", "rule", "no_exchange_rate"),
    ("every_account_has_one_final_tier", "account_tiers", "final_tier", None),
    ("every_account_has_one_final_tier", "int_accounts", "account_key", "crm:accounts:2"),
    ("every_source_row_is_in_one_account", "stg_erp__customers", "customer_id", "8"),
    ("shares_are_monotone_and_end_at_one", "pareto_curve", "cumulative_share", 1.5),
    ("shares_are_monotone_and_end_at_one", "pareto_curve", "share_before", 0.1),
    ("tiers_follow_values", "pareto_curve", "tier", "C"),
    ("tiers_are_of_the_policy", "account_tiers", "final_tier", "Z"),
    ("tiers_are_of_the_policy", "tier_moves", "to_tier", "Z"),
    ("tiers_are_of_the_policy", "pareto_curve", "tier", "Z"),
    ("postures_are_known", "account_tiers", "posture", "attack"),
    ("history_ends_at_account_tiers", "account_tier_history", "final_tier", "C"),
    ("rejected_share_is_tolerated", "int_deliveries_counted", "rows_rejected", 4),
    ("cost_coverage_reaches_minimum", "int_account_windows", "costed_turnover", Decimal(79)),
    ("primary_scheme_is_computed", "account_tiers", "value_tier", None),
    ("currencies_are_codes", "int_invoice_lines_counted", "currency", "eur"),
    ("parent_links_resolve", "int_account_hierarchies", "link_problem", "cycle"),
    ("merges_resolve", "stg_crm__accounts", "merged_into_id", "9"),
    ("overrides_apply", "int_overrides_dated", "problem", "orphan"),
    ("overrides_are_in_force", "int_overrides_dated", "valid_to", date(2024, 2, 29)),
    ("overrides_change_something", "account_tiers", "stable_tier", "B"),
    ("overrides_do_not_overlap", "int_overrides_dated", "valid_to", date(2024, 7, 1)),
    ("overrides_end_in_time", "int_overrides_dated", "valid_from", date(2020, 1, 1)),
    ("overrides_stay_within_budget", "stg_run__override_budgets", "max_share", Decimal("0.5")),
    ("populations_are_large_enough", "int_account_scheme_ranks", "population", "FR"),
    ("scheme_totals_are_positive", "stg_run__schemes", "scheme", "other"),
    ("no_line_is_left_out", "int_invoice_lines_counted", "booking", "left_out"),
    ("every_line_has_a_rate", "int_invoice_lines_counted", "booking", "no_exchange_rate"),
    ("every_invoiced_customer_is_known", "account_tiers", "is_placeholder", True),
    ("crm_rows_name_known_accounts", "stg_crm__activities", "account_id", "9"),
    ("no_invoice_is_dated_after_the_run", "int_invoice_lines_counted", "month_index", 99_999),
    ("activities_are_delivered", "account_coverage", "coverage_status", "no_activity_data"),
    ("every_activity_is_counted", "int_account_activities", "activity_count", 2),
    ("every_activity_is_counted", "stg_crm__activities", "activity_date", date(2024, 3, 1)),
    ("activity_words_are_known", "int_activities_timed", "direction", "sideways"),
    ("activity_words_are_known", "int_activities_timed", "activity_type", "seance"),
    ("every_tier_has_a_plan", "account_coverage", "planned_hours", None),
    ("service_hours_add_up", "service_balance", "account_count", 2),
    ("service_hours_add_up", "owner_capacity", "needed_hours", Decimal("39.9999")),
    ("suppressions_fit", "int_suppressions_normalised", "account_id", "8"),
    ("suppressions_fit", "int_suppressions_normalised", "misread", "email"),
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each singular test by name, its inputs named by their bare names."""
    return compiled_nodes(tmp_path_factory, "tests/")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds the rows which keep every rule."""
    with duckdb.connect(":memory:", config={"threads": 1}) as opened:
        for name, rows in TABLES.items():
            opened.register("incoming", pa.Table.from_pylist(rows))
            opened.execute(f"create table {name} as select * from incoming")
            for column in {column for row in rows for column in row if row[column] is None}:
                if all(row[column] is None for row in rows):
                    opened.execute(f"alter table {name} alter {column} type varchar")
        yield opened


def test_missing_rates_are_named_before_the_share(
    gate: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("update int_deliveries_counted set rows_rejected = 4")
    sql = gate["assert_rejected_share_is_tolerated"]
    told = str(connection.execute(f"select observed from ({sql})").fetchall())
    assert (
        "exchange_rates to EUR are missing for USD (2 lines from 2024-02-03 to 2024-02-28), "
        "GBP (1 lines from 2024-02-04 to 2024-02-04); erp/invoice_lines: 4 of 300 rows" in told
    )
    connection.execute("delete from int_invoice_lines_unconvertible")
    assert "exchange_rates" not in str(connection.execute(sql).fetchall())


def test_every_test_of_the_gate_is_tried(gate: dict[str, str]) -> None:
    tried = {f"assert_{name}" for name, *_ in BREACHES}
    assert tried == set(gate), "add the test to BREACHES, with a change that breaks its rule"


@pytest.mark.parametrize("name", sorted({name for name, *_ in BREACHES}))
def test_rows_that_keep_the_rule_pass(
    gate: dict[str, str], connection: duckdb.DuckDBPyConnection, name: str
) -> None:
    assert connection.execute(gate[f"assert_{name}"]).fetchall() == []


@pytest.mark.parametrize(("name", "table", "column", "value"), BREACHES)
def test_a_breach_is_found_and_described(
    gate: dict[str, str],
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: str,
    column: str,
    value: object,
) -> None:
    connection.execute(f"update {table} set {column} = ? where rowid = 0", [value])
    answer = connection.execute(gate[f"assert_{name}"])
    names = [described[0] for described in answer.description or []]
    found = answer.fetchall()
    assert found, "the test is blind to the breach"
    assert all(row[names.index("observed")] for row in found), "say what was seen"


def test_the_ten_most_frequent_reasons_are_told_each_with_an_example(
    gate: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    rows = [
        REJECTED | {"rule": f"rule_{rule:02}", "line_number": 100 * rule + copy}
        for rule in range(1, 13)
        for copy in range(rule)
    ]
    connection.register("incoming", pa.Table.from_pylist(rows))
    connection.execute("create or replace table rejected_rows as select * from incoming")
    connection.execute("update int_deliveries_counted set rows_rejected = 78 where rowid = 0")
    answer = connection.execute(gate["assert_rejected_share_is_tolerated"])
    names = [described[0] for described in answer.description or []]
    ((*row,),) = answer.fetchall()
    told = str(row[names.index("observed")])
    assert "erp/invoice_lines: 78 of 300 rows rejected, at most " in told
    assert "12 rule_12 (such as erp/invoice_lines.csv line 1200, invoice_date: hier)" in told
    assert [f"rule_{rule:02}" in told for rule in range(1, 13)] == [False] * 2 + [True] * 10


def test_what_a_full_extract_replaced_dilutes_no_share(
    gate: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    sql = gate["assert_rejected_share_is_tolerated"]
    # 4 of 300 would be 4 of 1300 with an earlier extract that was read in full
    connection.execute("update int_deliveries_counted set rows_rejected = 4 where rowid = 0")
    connection.execute(
        "update int_deliveries_counted set entity = 'invoice_lines', rows_read = 1000, "
        "rows_rejected = 0 where is_replaced"
    )
    assert len(connection.execute(sql).fetchall()) == 1
