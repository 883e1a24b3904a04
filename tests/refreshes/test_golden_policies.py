"""The golden company under other policies: net margin first with caps, groups, curves by country."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.pipeline.conftest import made_once
from tests.pipeline.pipeline_runs import (
    GOLDEN,
    GOLDEN_AS_OF,
    Refreshed,
    published,
    refreshed,
    replace_line,
)
from tests.pipeline.test_golden import assert_rows_equal, expected

NET_MARGIN = """
primary_scheme: net_margin
schemes:
  net_margin: {criterion: net_margin, cut_points: {A: 0.80, B: 0.95}, lowest_tier: C}
potential: {min_peers: 7}
final_tier:
  demotion_patience_months: 1
  caps: {A: {total: 3, per_owner: 1}}
"""
GROUP = """
classification_level: group
schemes:
  gross_margin: {population: country}
  net_margin: {criterion: net_margin, cut_points: {A: 0.80, B: 0.95}, lowest_tier: C}
"""


@pytest.fixture(scope="module")
def net_margin(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The company ranked on net margin."""

    def make(folder: Path) -> None:
        landing = GOLDEN / "landing"
        published(refreshed(landing, folder / "out", as_of=GOLDEN_AS_OF, policy=NET_MARGIN))

    folder = made_once(tmp_path_factory, "net_margin_golden", make)
    return Refreshed(GOLDEN / "landing", folder / "out")


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The company classified by its ultimate parents, Kapok a child of Cedar."""

    def make(folder: Path) -> None:
        landing = folder / "landing"
        shutil.copytree(GOLDEN / "landing", landing)
        replace_line(landing / "crm/accounts.csv", 10, "11,Kapok,,", "11,Kapok,3,")
        published(refreshed(landing, folder / "out", as_of=GOLDEN_AS_OF, policy=GROUP))

    folder = made_once(tmp_path_factory, "group_golden", make)
    return Refreshed(folder / "landing", folder / "out")


def test_net_margin_first_with_peers_and_caps(net_margin: Refreshed) -> None:
    found = net_margin.rows("select * from account_tiers")
    assert_rows_equal(found, expected("net_margin_policy"), ("account_key",))


def test_every_account_beyond_a_cap_of_its_owner_is_listed(net_margin: Refreshed) -> None:
    beyond = net_margin.warehouse_rows(
        "select account_name as name, total_places_beyond as total, "
        "owner_places_beyond as of_owner from intermediate.int_account_tiers_described "
        "where owner_places_beyond is not null or total_places_beyond is not null order by 1"
    )
    assert beyond == [
        {"name": "Alder", "total": None, "of_owner": 1},
        {"name": "Cedar", "total": None, "of_owner": 2},
        {"name": "Fir", "total": 1, "of_owner": None},
        {"name": "Gorse", "total": 2, "of_owner": None},
    ]


def test_sites_inherit_the_tiers_of_their_group(group: Refreshed) -> None:
    found = group.rows("select * from account_tiers")
    assert_rows_equal(found, expected("group_policy"), ("account_key",))


def test_a_group_counts_once_on_each_curve(group: Refreshed) -> None:
    curves = {
        (row["scheme"], row["population"]): (row["points"], row["value"])
        for row in group.rows(
            "select scheme, population, count(*) as points, "
            "sum(case when value > 0 then value else 0 end) as value "
            "from pareto_curve group by all"
        )
    }
    assert curves == {
        ("revenue", "all"): (8, Decimal(10000)),
        ("gross_margin", "FR"): (5, Decimal(2800)),
        ("gross_margin", "US"): (1, Decimal(1000)),
        ("gross_margin", "unknown"): (1, Decimal(100)),
        ("net_margin", "all"): (7, Decimal(3170)),
        ("potential", "all"): (5, Decimal("11233.333")),
    }
    totals = group.live.manifest.totals
    assert (totals.revenue, totals.excluded_value) == (Decimal(11000), Decimal(1000))


def test_the_gate_recomputes_groups_and_countries(group: Refreshed, net_margin: Refreshed) -> None:
    for company, schemes in ((group, 4), (net_margin, 4)):
        recomputed = company.warehouse_rows(
            "select check_name, passed, observed from raw.quality_results "
            "where check_name like '%_recomputed'"
        )
        assert len(recomputed) >= schemes + 2
        assert [row for row in recomputed if not row["passed"]] == []
