"""What a refresh keeps from the one before it is what a full build would make, whatever changed in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.pipeline.full_extracts import full_extracts_by_name
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    Refreshed,
    published,
    published_rows,
    refreshed,
    replace_line,
)

HEADER = (
    "invoice_id,line_id,customer_id,invoice_date,document_type,product_id,quantity,net_amount,currency,"
    "cost_amount,cost_currency,reverses_invoice_id,is_cancelled\n"
)
WINDOW_MONTHS = 12
CORRECTIONS = "erp/invoice_lines_2.csv"
TIGHTER = (
    "schemes:\n  revenue: {criterion: revenue, cut_points: {A: 0.70, B: 0.90}, lowest_tier: C}\n"
)


@dataclass(frozen=True)
class Step:
    """One change of the input, and the months whose lines it touches (None: not asked).

    `moves_money`: the sums of these months change, and with them the windows that hold them.
    """

    name: str
    change: Callable[[Path], object]
    months: set[str] | None = None
    moves_money: bool = True
    as_of: str = GOLDEN_AS_OF
    policy: str = ""


def lines(*rows: str) -> Callable[[Path], object]:
    """A second file of invoice lines with these rows."""
    text = HEADER + "".join(f"{row}\n" for row in rows)
    return lambda landing: (landing / CORRECTIONS).write_text(text, encoding="utf-8")


def edited(file: str, number: int, old: str, new: str) -> Callable[[Path], object]:
    """A text of one line of a file replaced."""
    return lambda landing: replace_line(landing / file, number, old, new)


STEPS = (
    Step(
        "a new line and a corrected one",
        lines(
            "I900,1,C1,2025-06-03,invoice,,,777,EUR,400,EUR,,false",
            "I101,1,C1,2025-01-15,invoice,,,3100,EUR,1500,EUR,,false",
        ),
        {"2025-01", "2025-06"},
    ),
    Step(
        "a line moves to another month",
        lines("I201,1,C2,2025-04-10,invoice,,,2500,EUR,2600,EUR,,false"),
        {"2025-01", "2025-06", "2025-02", "2025-04"},
    ),
    Step(
        "an invoice is cancelled by a later document",
        lines("S1,1,C1,2025-08-02,cancellation,,,3000,EUR,1500,EUR,I101,false"),
        {"2025-02", "2025-04", "2025-08"},
    ),
    Step(
        "a delivery is gone",
        lambda landing: (landing / CORRECTIONS).unlink(),
        {"2025-08"},
    ),
    # no invoice of the month is converted at it; the freight of that day is
    Step(
        "a rate is corrected",
        edited("erp/exchange_rates.csv", 3, "1.20", "1.10"),
        {"2025-03"},
        moves_money=False,
    ),
    Step("a standard cost is corrected", edited("erp/product_costs.csv", 3, "30", "31")),
    Step("a product changes its family", edited("erp/products.csv", 2, "Wood", "Timber"), set()),
    Step("a customer loses its account", edited("erp/customers.csv", 4, "Inc,3,", "Inc,,"), set()),
    Step("other cut points", lambda _: None, set(), policy=TIGHTER),
    Step(
        "the next month",
        lines("I950,1,C3,2026-01-20,invoice,,,990,EUR,500,EUR,,false"),
        {"2026-01"},
        as_of="2026-02-01",
    ),
)

NET_MARGIN = "schemes: {net_margin: {criterion: net_margin, cut_points: {A: 0.80, B: 0.95}, lowest_tier: C}}\n"
# What touches no line of an invoice: each must reach the tiers all the same.
FACTS = (
    Step(
        "a potential is declared",
        edited("crm/accounts.csv", 8, "249,,", "249,3000,"),
        set(),
        policy=NET_MARGIN,
    ),
    Step(
        "an opportunity is less likely",
        edited("crm/opportunities.csv", 2, "0.5", "0.1"),
        set(),
        policy=NET_MARGIN,
    ),
    Step(
        "a rebate is higher",
        edited("erp/account_costs.csv", 2, "300", "1650"),
        set(),
        policy=NET_MARGIN,
    ),
    Step(
        "groups are classified",
        lambda _: None,
        set(),
        policy=f"{NET_MARGIN}classification_level: group\n",
    ),
    Step(
        "an account has a parent",
        edited("crm/accounts.csv", 10, "11,Kapok,,", "11,Kapok,3,"),
        set(),
        policy=f"{NET_MARGIN}classification_level: group\n",
    ),
)


FULL = "erp/invoice_lines_full_{}.csv"


def full(name: str, *changes: tuple[str, str]) -> Callable[[Path], object]:
    """A full extract of the lines: those of the first file, each change (old, new) made once."""

    def write(landing: Path) -> None:
        text = (landing / "erp/invoice_lines.csv").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        (landing / FULL.format(name)).write_text(text, encoding="utf-8")

    return write


KAPOK = "I1101,1,C11,2024-06-05,invoice,,,600,EUR,300,EUR,,false\n"
# Full extracts: every month has another delivery, so which months are built again is not asked.
EXTRACTS = (
    Step(
        "a full extract replaces: a line is gone, one moved to another month, one is corrected",
        full(
            "1", (KAPOK, ""), ("C1,2025-01-15", "C1,2025-03-15"), (",300,EUR,,,,", ",310,EUR,,,,")
        ),
    ),
    Step(
        "a delta comes on top",
        lambda landing: (landing / "erp/invoice_lines_full_1_later.csv").write_text(
            f"{HEADER}I201,1,C2,2025-04-11,invoice,,,2500,EUR,2600,EUR,,false\n",
            encoding="utf-8",
        ),
        {"2025-02", "2025-04"},
    ),
    Step(
        "the next one replaces extract and line",
        full("2", ("I802,1,C8,2025-12-10", "I802,1,C8,2025-11-10")),
    ),
    Step(
        "a credit note is in none any more",
        full("3", ("I202,1,C2,2025-04-10,credit_note,,,500,EUR,500,EUR,,false\n", "")),
    ),
    # by content it was landed and kept before
    Step(
        "an extract of known bytes comes again",
        full(
            "4", (KAPOK, ""), ("C1,2025-01-15", "C1,2025-03-15"), (",300,EUR,,,,", ",310,EUR,,,,")
        ),
    ),
    Step(
        "the last one is withdrawn",
        lambda landing: (landing / FULL.format("4")).unlink(),
    ),
)


@pytest.fixture(autouse=True)
def by_name() -> Iterator[None]:
    with full_extracts_by_name():
        yield


def fingerprints(company: Refreshed) -> dict[str, int]:
    """The fingerprint of each month of invoice lines, by month."""
    rows = company.warehouse_rows(
        "select distinct month_index, input_fingerprint from intermediate.int_customer_currency_months"
    )
    return {
        f"{(row['month_index'] - 1) // 12}-{(row['month_index'] - 1) % 12 + 1:02}": row[
            "input_fingerprint"
        ]
        for row in rows
    }


def windows(company: Refreshed) -> dict[int, int]:
    """The fingerprint of the windows of each as_of, by year * 12 + month."""
    rows = company.warehouse_rows(
        "select distinct as_of_index, input_fingerprint from intermediate.int_account_windows"
    )
    return {row["as_of_index"]: row["input_fingerprint"] for row in rows}


def reached(months: set[str], as_of: str) -> set[int]:
    """The as_ofs with one of the months in their window or in the one before it."""
    last = index_of(as_of)
    return {
        later
        for month in months
        for later in range(index_of(month) + 1, index_of(month) + 2 * WINDOW_MONTHS + 1)
        if later <= last
    }


def index_of(day: str) -> int:
    """year * 12 + month of a text that begins so."""
    year, month = day.split("-")[:2]
    return int(year) * 12 + int(month)


def touched(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The months with another fingerprint, or in one of the two alone."""
    return {month for month in before | after if before.get(month) != after.get(month)}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(STEPS, id="invoices and rules"),
        pytest.param(FACTS, id="facts"),
        pytest.param(EXTRACTS, id="full extracts"),
    ],
)
def test_a_kept_warehouse_says_what_a_full_build_says(
    golden: Refreshed, tmp_path: Path, steps: tuple[Step, ...]
) -> None:
    company = golden.copy(tmp_path)
    for number, step in enumerate(steps):
        said = published_rows(company)
        before, before_windows = fingerprints(company), windows(company)
        step.change(company.landing)
        beside = Refreshed(company.landing, tmp_path / f"full_{number}")
        shutil.copytree(company.out, beside.out)
        for one, full in ((company, False), (beside, True)):
            published(
                refreshed(one.landing, one.out, as_of=step.as_of, policy=step.policy, full=full)
            )
        assert published_rows(company) == published_rows(beside), step.name
        assert published_rows(company) != said, f"{step.name}: it reaches no mart"
        months = touched(before, fingerprints(company))
        assert step.months in (None, months), (step.name, months)
        if step.months:
            after = windows(company)
            summed = {index for index in after if before_windows.get(index) != after[index]}
            wanted = reached(step.months, step.as_of) if step.moves_money else set()
            assert summed == wanted, (step.name, summed)
        shutil.rmtree(beside.out)


@pytest.mark.parametrize(("full", "kept"), [(False, True), (True, False)])
def test_a_month_whose_input_is_the_same_is_not_built_again(
    golden: Refreshed, tmp_path: Path, full: bool, kept: bool
) -> None:
    company = golden.copy(tmp_path)
    in_january = "where customer_id = 'C1' and month_index = 2025 * 12 + 1"
    with duckdb.connect(str(company.out / "warehouse" / "warehouse.duckdb")) as connection:
        connection.execute(
            f"update intermediate.int_customer_currency_months set cost = cost + 1 {in_january}"
        )
        connection.execute(
            "update intermediate.int_account_windows set invoice_count = invoice_count + 7 "
            f"where as_of_index = {index_of('2025-03')}"
        )
    lines("I900,1,C1,2025-06-03,invoice,,,777,EUR,400,EUR,,false")(company.landing)
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, full=full))
    found = company.warehouse_rows(
        f"select cost from intermediate.int_customer_currency_months {in_january}"
    )
    assert [row["cost"] for row in found] == [1501 if kept else 1500]
    counted = company.warehouse_rows(
        "select min(invoice_count) >= 7 as is_kept from intermediate.int_account_windows "
        f"where as_of_index = {index_of('2025-03')}"
    )
    assert [row["is_kept"] for row in counted] == [kept]
