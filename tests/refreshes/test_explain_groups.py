"""What `kam explain` says where groups are classified, and of a month that was published again."""

from __future__ import annotations

from datetime import date

import pytest

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, Refreshed, published, refreshed
from tests.pipeline.told import line_of, shown, told_of

# tighter lines restate the month, so that accounts move by the policy
GROUP = "classification_level: group\nschemes: {revenue: {cut_points: {A: 0.40, B: 0.75}}}\n"


@pytest.fixture(scope="module")
def grouped(golden: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company whose groups are classified: Birch belongs to Alder."""
    company = golden.copy(tmp_path_factory.mktemp("grouped"))
    published(refreshed(company.landing, company.out, as_of=GOLDEN_AS_OF, policy=GROUP))
    return company


def test_in_group_mode_each_figure_says_whose_it_is(grouped: Refreshed) -> None:
    told = told_of(grouped, "Birch")
    account, group = told["account"], told["group"]
    assert (group["account_name"], group["account_count"]) == ("Alder", 2)
    assert group["revenue"] == account["group_revenue"] > account["revenue"]
    assert account["tier_reason"].startswith(
        f"A: revenue of its group {group['revenue']:.2f} EUR, rank 1;"
    )
    text = shown(told)
    assert "It is classified with its group Alder (2 accounts)" in text
    assert f"{account['revenue']:,.2f}" in line_of(text, "revenue (its own)")
    assert f"{group['revenue']:,.2f}" in line_of(text, "revenue of the group")
    assert "A (defend)" in line_of(text, "final tier (of its group)")
    french = shown(told, "fr")
    assert "Il est classé avec son groupe Alder (2 comptes) :" in french
    assert "A : chiffre d’affaires de son groupe" in french


def test_an_account_by_itself_says_nothing_of_groups(grouped: Refreshed, golden: Refreshed) -> None:
    for company, name in ((grouped, "Gorse"), (golden, "Birch")):
        told = told_of(company, name)
        assert told["group"] is None
        assert "of its group" not in shown(told) and "(its own)" not in shown(told)


def test_a_month_published_again_is_not_last_month(grouped: Refreshed) -> None:
    (key, before), *_ = [
        (row["account_key"], row["from_tier"])
        for row in grouped.rows("select * from tier_moves where move_kind = 'restated'")
        if row["as_of"] == date.fromisoformat(GOLDEN_AS_OF)
    ]
    told = told_of(grouped, key)
    text = shown(told)
    assert f"{before}, moved because of policy" in line_of(text, "before this publication")
    assert told["history"][1]["final_tier"] in line_of(text, "last month")
    assert "the month was published again" in text
