"""Why a tier moved: one change between two refreshes, and exactly its cause; what was published stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kept.test_incremental import TIGHTER, edited
from tests.pipeline.pipeline_runs import (
    GOLDEN_AS_OF,
    Refreshed,
    Rows,
    published,
    refreshed,
)

Moves = set[tuple[str, str, str]]  # account key, from and to ("A>B"), cause


@dataclass(frozen=True)
class Change:
    """One change of the input, and the moves of the month that it restates (None: any)."""

    cause: str
    change: Callable[[Path], object]
    moves: Moves | None
    policy: str = ""


def appended(file: str, row: str) -> Callable[[Path], object]:
    """One row more at the end of a file."""

    def append(landing: Path) -> None:
        with (landing / file).open("a", encoding="utf-8") as lines:
            lines.write(f"{row}\n")

    return append


LINES = "erp/invoice_lines.csv"
# Worked out by hand from tests/fixtures/golden/README.md, each after those before it.
CHANGES = (
    # 3000 stand between Alder's 5000 and Juniper's 2500: A by potential, B by value
    Change(
        "potential",
        edited("crm/accounts.csv", 8, "249,,", "249,3000,"),
        {("crm:accounts:8", "B>A", "potential")},
    ),
    Change(
        "override",
        appended(
            "governance/tier_overrides.csv",
            "7,C,Leaves in spring,Sales board,2025-12-20,2026-03-31",
        ),
        {("crm:accounts:7", "A>C", "override")},
    ),
    Change(
        "identity",
        edited("erp/customers.csv", 4, "Inc,3,", "Inc,,"),
        {("crm:accounts:3", "A>C", "identity")},
    ),
    # a late invoice: 400, as much as Gorse, whose 8950 before lie between 8320 and 9880
    Change(
        "own_value",
        appended(LINES, "I1102,1,C11,2025-12-05,invoice,,,400,EUR,100,EUR,,false"),
        {("crm:accounts:11", "C>B", "own_value")},
    ),
    # a late invoice of the largest: 12500 before Dogwood and Elm, of 14900 in December and of 15400
    # in January, is above 80%; 14750 before Hazel is above 95%, and its potential makes it a B
    Change(
        "portfolio",
        appended(LINES, "I103,1,C1,2025-11-10,invoice,,,5000,EUR,2500,EUR,,false"),
        {
            ("crm:accounts:4", "A>B", "portfolio"),
            ("erp:customers:C5", "A>B", "portfolio"),
            ("crm:accounts:8", "A>B", "portfolio"),
        },
    ),
    Change("policy", lambda _: None, None, policy=TIGHTER),
)


def restated(company: Refreshed) -> Rows:
    """The moves between what was published of a month and what was published of it later."""
    return company.rows("select * from tier_moves where move_kind = 'restated' order by all")


def test_each_change_alone_is_the_cause(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    assert restated(company) == []
    for step in CHANGES:
        before, said = restated(company), company.rows("select * from published_tiers")
        step.change(company.landing)
        published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=step.policy))
        new = [row for row in restated(company) if row not in before]
        moves = {
            (row["account_key"], f"{row['from_tier']}>{row['to_tier']}", row["move_cause"])
            for row in new
        }
        assert moves, f"{step.cause}: nothing moved"
        assert {cause for _, _, cause in moves} == {step.cause}, (step.cause, moves)
        assert step.moves in (None, moves), step.cause
        accounts = company.accounts()
        for key, tiers, cause in moves:
            row = accounts[key]
            assert (row["move_cause"], row["previous_tier"]) == (cause, tiers[0]), (step.cause, key)
        # append-only: no row is changed or gone
        now = company.rows("select * from published_tiers")
        assert [row for row in said if row not in now] == [], step.cause
        assert len(now) > len(said), step.cause


def test_a_new_account_is_one_in_its_first_month(golden: Refreshed, tmp_path: Path) -> None:
    company = golden.copy(tmp_path)
    (company.landing / "crm/accounts_2.csv").write_text(
        "account_id,account_name,account_type,created_at\n12,Larch,prospect,2026-01-10\n",
        encoding="utf-8",
    )
    published(refreshed(company.landing, company.out, as_of="2026-02-01"))
    appeared = company.rows(
        "select account_key, as_of::varchar as as_of, move_kind, from_tier, to_tier, direction "
        "from tier_moves where move_cause = 'new_account' and as_of >= date '2026-01-01'"
    )
    assert appeared == [
        {
            **{"account_key": "crm:accounts:12", "as_of": "2026-02-01", "move_kind": "monthly"},
            **{"from_tier": None, "to_tier": "C", "direction": "appeared"},
        }
    ]
    larch = company.accounts()["crm:accounts:12"]
    assert (larch["move_cause"], larch["previous_tier"]) == ("new_account", None)


HISTORIES = ("account_tier_history", "tier_migration", "portfolio_concentration", "account_monthly")


def test_months_filled_back_in_any_order_twice_end_alike(golden: Refreshed, tmp_path: Path) -> None:
    def histories(company: Refreshed) -> dict[str, Rows]:
        return {mart: company.rows(f"select * from {mart} order by all") for mart in HISTORIES}

    company = golden.copy(tmp_path)
    said = company.rows("select * from published_tiers")
    for as_of in ("2025-12-01", "2025-11-01", "2025-12-01", GOLDEN_AS_OF):
        published(refreshed(company.landing, company.out, as_of=as_of))
    assert histories(company) == histories(golden)
    accounts = {key: row | {"updated_at": None} for key, row in company.accounts().items()}
    assert accounts == {key: row | {"updated_at": None} for key, row in golden.accounts().items()}
    now = company.rows("select * from published_tiers")
    assert [row for row in said if row not in now] == []
    assert {str(row["as_of"]) for row in now} == {"2025-11-01", "2025-12-01", GOLDEN_AS_OF}
    assert restated(company) == []
