"""Time, recurrence, risk and readiness of the demo company against its truth and the reference."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.reference_history import concentration
from dagster_project.lib.reference_risk import recurrence, risk_reasons
from dagster_project.lib.reference_time import ServiceTables, coverage, hours_needed
from dagster_project.lib.warehouse.dbt_project import PROJECT
from tests.pipeline.pipeline_runs import Refreshed

Demo = tuple[Refreshed, Truth]
Rows = dict[str, dict[str, Any]]
AS_OF, WINDOW_START, START_BEFORE = date(2026, 11, 1), date(2025, 11, 1), date(2024, 11, 1)
MIN_COVERAGE = Decimal("0.8")


def seed(name: str) -> list[dict[str, str]]:
    """A table that users edit, as text."""
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def by_key(rows: list[dict[str, Any]]) -> Rows:
    return {row["account_key"]: row for row in rows}


@pytest.fixture(scope="module")
def keys(demo: Demo) -> dict[tuple[str, str, str], str]:
    """account_key by system, entity and id of each member."""
    rows = demo[0].rows("select * from account_members")
    return {
        (r["source_system"], r["source_entity"], r["source_id"]): r["account_key"] for r in rows
    }


@pytest.fixture(scope="module")
def ranked(demo: Demo) -> Rows:
    """Active accounts that are not excluded, with the day on which the CRM made them."""
    created = by_key(demo[0].warehouse_rows("select * from intermediate.int_accounts"))
    return {
        key: row | {"created_date": created[key]["created_date"]}
        for key, row in demo[0].accounts().items()
        if row["is_active"] and not row["is_excluded"]
    }


@pytest.fixture(scope="module")
def covered(demo: Demo, keys: dict[tuple[str, str, str], str], ranked: Rows) -> Rows:
    """Coverage as the reference has it."""
    activities = [
        row | {"account_key": keys.get((row["source_system"], "accounts", row["account_id"]))}
        for row in demo[0].warehouse_rows("select * from staging.stg_crm__activities")
    ]
    tables = ServiceTables(
        seed("service_model"),
        seed("activity_durations"),
        seed("activity_directions"),
        ("A", "B", "C"),
    )
    return coverage(ranked.values(), activities, tables, as_of=AS_OF, window_months=12)


@pytest.fixture(scope="module")
def bought(demo: Demo, keys: dict[tuple[str, str, str], str]) -> Rows:
    """Recurrence as the reference has it, from the days of invoices, by account key."""
    days: dict[str, list[date]] = defaultdict(list)
    for row in demo[0].warehouse_rows(
        "select distinct source_system, customer_id, invoice_date "
        "from intermediate.int_invoice_lines_converted where is_sale and booking = 'booked'"
    ):
        days[keys[row["source_system"], "customers", row["customer_id"]]].append(
            row["invoice_date"]
        )
    return {key: recurrence(days[key], as_of=AS_OF, window_months=12) for key in demo[0].accounts()}


def test_planted_accounts_are_served_as_planted(demo: Demo) -> None:
    company, truth = demo
    published = by_key(company.rows("select * from account_coverage"))
    assert {s.case for s in truth.service} == {"well_served", "neglected", "over_served"}
    for planted in truth.service:
        row = published[planted.account_key]
        assert row["coverage_status"] == planted.status, planted
        if planted.case == "neglected":
            assert (row["actual_hours"], row["last_activity_date"]) == (0, None)
            assert row["is_overdue"]
        if planted.case == "over_served":
            assert row["reallocatable_hours"] == row["actual_hours"] - row["planned_hours"] > 0


def test_hours_are_those_of_the_activities(demo: Demo) -> None:
    company, truth = demo
    published = company.rows("select account_key, actual_hours from account_coverage")
    for row in published:
        minutes = truth.activity_minutes.get(row["account_key"], 0)
        assert abs(row["actual_hours"] * 60 - minutes) < Decimal("0.01"), row
    told = {row["account_key"] for row in published}
    assert truth.activity_minutes.keys() - told <= {f"crm:accounts:{a}" for a in truth.deleted}


def test_coverage_is_that_of_the_reference(demo: Demo, covered: Rows) -> None:
    published = by_key(demo[0].rows("select * from account_coverage"))
    assert published.keys() == covered.keys()
    for key, told in covered.items():
        assert {name: published[key][name] for name in told} == told, key


def test_one_table_shows_hours_to_take_and_hours_to_give(demo: Demo, covered: Rows) -> None:
    tiers = {key: row["final_tier"] for key, row in demo[0].accounts().items()}
    balance = demo[0].rows("select * from service_balance")
    for row in balance:
        group = [
            told
            for key, told in covered.items()
            if (tiers[key], told["coverage_status"]) == (row["final_tier"], row["coverage_status"])
        ]
        assert row["account_count"] == len(group) > 0
        for column in ("planned_hours", "actual_hours", "reallocatable_hours", "needed_hours"):
            assert row[column] == sum(told[column] for told in group), (column, row)
    assert sum(row["account_count"] for row in balance) == len(covered)
    found = {(row["final_tier"], row["coverage_status"]): row for row in balance}
    assert found["C", "over_served"]["reallocatable_hours"] > 0
    assert found["A", "under_served"]["needed_hours"] > 0
    assert all(row["reallocatable_hours"] == 0 for row in balance if row["final_tier"] == "A")


def test_owners_need_what_their_accounts_need(demo: Demo, covered: Rows, ranked: Rows) -> None:
    company = demo[0]
    needed = hours_needed(covered, {key: row["owner_id"] for key, row in ranked.items()})
    users = {
        r["user_id"]: r for r in company.warehouse_rows("select * from staging.stg_crm__users")
    }
    owners = {row["owner_id"]: row for row in company.rows("select * from owner_capacity")}
    assert owners.keys() == users.keys() | needed.keys()
    for owner, row in owners.items():
        assert (row["account_count"], row["needed_hours"]) == needed.get(owner, (0, Decimal(0)))
        if owner is None:
            assert (row["owner_key"], row["available_hours"], row["is_overloaded"]) == (
                "unowned",
                None,
                None,
            )
            continue
        user = users[owner]
        hours = user["available_hours_per_year"] if user["is_active"] else Decimal(0)
        assert (row["is_known"], row["available_hours"]) == (True, hours)
        assert row["is_overloaded"] == (row["needed_hours"] > hours)
    assert {row["is_overloaded"] for row in owners.values()} == {True, False, None}


def test_recurrence_is_that_of_the_reference(demo: Demo, bought: Rows) -> None:
    published = by_key(
        demo[0].warehouse_rows(
            "select accounts.account_key, recurrence.* "
            "from intermediate.int_account_recurrence as recurrence "
            "inner join intermediate.int_accounts as accounts using (account_sk)"
        )
    )
    assert published.keys() == bought.keys()
    for key, told in bought.items():
        found = {name: published[key][name] for name in told}
        assert found == pytest.approx(told, abs=1e-11), key
    assert sum(row["regularity"] is not None for row in published.values()) > 500


def margins(company: Refreshed) -> dict[tuple[str, bool], tuple[Decimal, Decimal] | None]:
    """Margin and revenue of known cost by account and whether of the window; None if too little is known."""
    rows = company.rows(
        "select account_key, month >= date '2025-11-01' as is_in_window, "
        "sum(gross_margin) as margin, sum(costed_revenue) as costed from account_monthly "
        "where month >= date '2024-11-01' group by all"
    )
    turnovers = {
        (r["account_key"], r["is_in_window"]): (r["turnover"], r["costed"])
        for r in company.warehouse_rows(
            "select months.account_key, month_index >= 2025 * 12 + 11 as is_in_window, "
            "sum(turnover) as turnover, sum(costed_turnover) as costed "
            "from intermediate.int_account_months as months "
            "where month_index between 2024 * 12 + 11 and 2026 * 12 + 10 "
            "group by all"
        )
    }
    told: dict[tuple[str, bool], tuple[Decimal, Decimal] | None] = {}
    for row in rows:
        place = row["account_key"], row["is_in_window"]
        turnover, costed = turnovers[place]
        known = row["costed"] > 0 and costed >= MIN_COVERAGE * turnover
        told[place] = (row["margin"], row["costed"]) if known else None
    return told


def answers(
    company: Refreshed, keys: dict[tuple[str, str, str], str]
) -> dict[tuple[str, str], Decimal]:
    """Latest answer of the window by account and scale, of several on one day the lowest."""
    latest: dict[tuple[str, str], tuple[date, Decimal]] = {}
    for row in company.warehouse_rows("select * from staging.stg_crm__surveys"):
        key = keys.get((row["source_system"], "accounts", row["account_id"]))
        if key is None or not WINDOW_START <= row["survey_date"] < AS_OF:
            continue
        place, told = (key, row["scale"]), (row["survey_date"], -row["score"])
        latest[place] = max(told, latest.get(place, told))
    return {place: -score for place, (_, score) in latest.items()}


def test_base_at_risk_is_that_of_the_reference(
    demo: Demo,
    covered: Rows,
    bought: Rows,
    ranked: Rows,
    keys: dict[tuple[str, str, str], str],
) -> None:
    company, rules = demo[0], seed("risk_rules")
    kept, asked = margins(company), answers(company, keys)
    tolerance = {
        row["tier"]: int(row["tolerance_percent"])
        for row in seed("service_model")
        if row["relationship"] == "any"
    }
    nothing = dict.fromkeys(
        ("actual_hours", "planned_hours", "is_overdue", "days_since_last_touch", "cadence_days")
    )
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for key, row in company.accounts().items():
        if row["final_tier"] != "A" or row["is_excluded"] or row["first_invoice_date"] is None:
            continue
        served = covered.get(key, nothing)
        waited = served["days_since_last_touch"]
        if waited is None and key in ranked and ranked[key]["created_date"]:
            waited = (AS_OF - ranked[key]["created_date"]).days
        account = served | {
            "buying_cadence_days": bought[key]["buying_cadence_days"],
            "days_since_last_invoice": bought[key]["days_since_last_invoice"],
            "revenue": row["revenue"],
            "revenue_previous": row["revenue_previous"],
            "margin": kept.get((key, True)),
            "margin_previous": kept.get((key, False)),
            "nps": asked.get((key, "nps")),
            "csat": asked.get((key, "csat")),
            "tolerance_percent": tolerance["A"],
            "days_waited": waited,
        }
        for reason, found in risk_reasons(account, rules).items():
            told[key, reason] = found | {"value_at_risk": row["revenue"]}
    published = {
        (row["account_key"], row["reason"]): row
        for row in company.rows("select * from base_at_risk")
    }
    assert published.keys() == told.keys()
    for place, wanted in told.items():
        found = published[place]
        assert found["observed"] == pytest.approx(wanted.pop("observed"), abs=1e-9), place
        assert {name: found[name] for name in wanted} == wanted, place
    assert {reason for _, reason in published} == {rule["reason"] for rule in rules}


def test_each_account_says_its_reasons_in_order(demo: Demo) -> None:
    company, order = demo[0], [rule["reason"] for rule in seed("risk_rules")]
    told: dict[str, list[str]] = defaultdict(list)
    for row in company.rows("select account_key, reason from base_at_risk"):
        told[row["account_key"]].append(row["reason"])
    rows = company.warehouse_rows(
        "select account_key, risks.* from intermediate.int_account_risks as risks "
        "inner join intermediate.int_accounts using (account_sk)"
    )
    assert len(rows) == len(company.accounts())
    for row in rows:
        reasons = sorted(told.get(row["account_key"], []), key=order.index)
        assert (row["is_at_risk"], row["risk_count"]) == (bool(reasons), len(reasons))
        assert row["risk_reasons"] == (", ".join(reasons) or None)


def test_readiness_is_measured_as_defined(
    demo: Demo, covered: Rows, bought: Rows, ranked: Rows, keys: dict[tuple[str, str, str], str]
) -> None:
    company = demo[0]
    accounts = {k: row for k, row in company.accounts().items() if not row["is_excluded"]}
    customers = [k for k, row in accounts.items() if row["relationship"] == "customer"]
    buyers = [k for k, row in accounts.items() if row["revenue"] > 0]
    priority = [k for k, row in accounts.items() if row["final_tier"] == "A" and row["is_active"]]
    companies = companies_of(company, keys)
    contacts = [
        (keys.get((row["source_system"], "accounts", row["account_id"])), row["buying_role"])
        for row in company.warehouse_rows("select * from staging.stg_crm__contacts")
    ]
    total = sum(accounts[k]["revenue"] for k in buyers)
    roles = {(key, role.lower().strip()) for key, role in contacts if key in priority and role}
    wanted = {
        "b2b_account_share": sum(k in companies for k in customers) / len(customers),
        "b2b_revenue_share": sum(accounts[k]["revenue"] for k in buyers if k in companies) / total,
        "recurrence": sum(bought[k]["active_months"] for k in customers)
        / sum(bought[k]["observed_months"] for k in customers),
        "returning_revenue_share": sum(
            accounts[k]["revenue"] for k in buyers if accounts[k]["revenue_previous"] > 0
        )
        / total,
        "concentration": concentration(row["revenue"] for row in accounts.values())["top_20_share"],
        "contacts_per_account": sum(key in priority for key, _ in contacts) / len(priority),
        "contact_roles_per_account": len(roles) / len(priority),
        "two_way_share": sum(covered[k]["two_way_count"] > 0 for k in priority) / len(priority),
    }
    criteria = {row["criterion"]: row for row in seed("readiness_criteria")}
    rows = {row["criterion"]: row for row in company.rows("select * from readiness")}
    assert rows.keys() == wanted.keys() == criteria.keys()
    for criterion, figure in wanted.items():
        assert rows[criterion]["figure"] == pytest.approx(float(figure), abs=1e-9), criterion
        assert criteria[criterion]["direction"] == "at_least"
        met = float(figure) >= float(criteria[criterion]["threshold"])
        assert rows[criterion]["is_met"] is met, criterion


def companies_of(company: Refreshed, keys: dict[tuple[str, str, str], str]) -> set[str]:
    """Accounts with a valid number of a register, a domain of their own or a company's facts."""
    valid = company.warehouse_rows(
        "select kind, raw_value from raw.identifiers where normalised is not null "
        "and kind in ('vat_number', 'registration_number', 'domain')"
    )
    proofs = {(row["kind"], row["raw_value"]) for row in valid}
    kinds = {
        "vat_number": "vat_number",
        "registration_number": "registration_number",
        "website": "domain",
        "email_domain": "domain",
    }
    found = set()
    for entity, table in (("accounts", "stg_crm__accounts"), ("customers", "stg_erp__customers")):
        for row in company.warehouse_rows(f"select * from staging.{table}"):
            row_id = row["account_id" if entity == "accounts" else "customer_id"]
            proven = any((kind, row.get(column)) in proofs for column, kind in kinds.items())
            facts = row.get("industry") or row.get("employee_count") or row.get("company_revenue")
            if proven or facts or row.get("account_type") == "partner":
                found.add(keys[row["source_system"], entity, row_id])
    return found


def test_without_activities_no_account_is_called_under_served(adventureworks: Refreshed) -> None:
    rows = adventureworks.rows("select * from account_coverage")
    assert {row["coverage_status"] for row in rows} == {"no_activity_data"}
    assert {row["actual_hours"] for row in rows} == {row["is_overdue"] for row in rows} == {None}
    assert all(row["planned_hours"] > 0 for row in rows)
    risks = {row["reason"] for row in adventureworks.rows("select * from base_at_risk")}
    assert risks
    assert "coverage" not in risks
    check = "select * from quality_results where check_name = 'assert_activities_are_delivered'"
    assert [(r["passed"], r["severity"]) for r in adventureworks.rows(check)] == [(False, "warn")]
    readiness = {row["criterion"]: row for row in adventureworks.rows("select * from readiness")}
    assert (readiness["two_way_share"]["figure"], readiness["two_way_share"]["is_met"]) == (
        None,
        None,
    )
