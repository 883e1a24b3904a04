"""Rule 4: what is published is compared with the reference, account by account."""

from collections.abc import Callable
from decimal import Decimal

import duckdb
import pytest

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.recomputed import recompute_tiers
from dagster_project.lib.recomputed_history import recompute_final_tiers
from dagster_project.lib.recomputed_posture import recompute_postures
from dagster_project.policy import Policy

Tampered = Callable[..., dict[str, CheckResult]]


def recomputed(connection: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, CheckResult]:
    results = recompute_tiers(connection, policy) + recompute_final_tiers(connection, policy)
    results.append(recompute_postures(connection, policy))
    return {result.check_name.removeprefix("account_tiers_"): result for result in results}


@pytest.fixture
def tampered(warehouse: duckdb.DuckDBPyConnection, policy: Policy) -> Tampered:
    """What is found once the statements have changed the warehouse."""

    def change(*statements: str) -> dict[str, CheckResult]:
        for statement in statements:
            warehouse.execute(statement)
        return recomputed(warehouse, policy)

    return change


def failed(results: dict[str, CheckResult]) -> set[str]:
    return {name for name, result in results.items() if not result.passed}


def test_what_was_worked_out_by_hand_is_equal(tampered: Tampered) -> None:
    results = tampered()
    assert failed(results) == set(), results
    assert list(results) == [
        "revenue_recomputed",
        "gross_margin_recomputed",
        "net_margin_recomputed",
        "potential_recomputed",
        "raw_tier_recomputed",
        "final_tier_recomputed",
        "posture_recomputed",
    ]
    assert results["revenue_recomputed"].observed == "6 accounts, 5 with a value: all equal"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("tier", "'A'", "b: tier A in account_tiers, recomputed B"),
        ("rank", "3", "b: rank 3 in account_tiers, recomputed 2"),
        ("share", "0.120000000003", "b: share 0.120000000003 in account_tiers, recomputed 0.12"),
        ("share_before", "0.81", "b: share_before 0.81 in account_tiers, recomputed 0.8"),
        ("cumulative_share", "null", "b: cumulative_share null in account_tiers, recomputed 0.92"),
        ("distance", "680.0001", "b: distance 680.0001 in account_tiers, recomputed 680.0000"),
    ],
)
def test_a_tampered_column_of_account_tiers_is_found(
    tampered: Tampered, column: str, value: str, said: str
) -> None:
    results = tampered(
        f"update marts.account_tiers set revenue_{column} = {value} where account_key = 'b'"
    )
    assert failed(results) == {"revenue_recomputed"}
    assert results["revenue_recomputed"].stops
    assert results["revenue_recomputed"].observed == said


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tier", "'C'"),
        ("curve_rank", "1"),
        ("share", "0.13"),
        ("share_before", "0.79"),
        ("cumulative_share", "0.91"),
        ("cumulative_share_net", "0.93"),
    ],
)
def test_a_tampered_column_of_the_curve_is_found(
    tampered: Tampered, column: str, value: str
) -> None:
    results = tampered(f"update marts.pareto_curve set {column} = {value} where account_key = 'b'")
    assert "revenue_recomputed" in failed(results)
    assert "b: " in results["revenue_recomputed"].observed


def test_the_last_decimal_of_a_share_may_differ(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set revenue_share = 0.120000000001 where account_key = 'b'",
    )
    assert failed(results) == set()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "update marts.account_tiers set revenue = 121 where account_key = 'b'",
            "b: revenue 121.0000 in account_tiers, 120.0000 on the curve",
        ),
        (
            "update marts.account_tiers set revenue = 5 where account_key = 'e'",
            "e: revenue 5.0000 is not on the curve",
        ),
        (
            "update marts.account_tiers set is_excluded = true where account_key = 'f'",
            "f: on the curve, and excluded or unknown in account_tiers",
        ),
        (
            "update marts.account_tiers set revenue_tier = 'B' where account_key = 'e'",
            "e: tier B in account_tiers, recomputed C",
        ),
        (
            "update marts.account_tiers set revenue_rank = 5 where account_key = 'e'",
            "e: rank 5 in account_tiers, recomputed null",
        ),
        (
            "insert into marts.pareto_curve from marts.pareto_curve where account_key = 'c'",
            "c: twice on the curve of revenue",
        ),
    ],
)
def test_a_value_apart_from_its_account_is_found(
    tampered: Tampered, statement: str, said: str
) -> None:
    result = tampered(statement)["revenue_recomputed"]
    assert not result.passed
    assert said in result.observed


def test_up_to_three_accounts_are_named(tampered: Tampered) -> None:
    observed = tampered("update marts.account_tiers set revenue_tier = 'Z'")[
        "revenue_recomputed"
    ].observed
    assert observed.count("tier Z") == 3
    assert observed.endswith("and 3 accounts more")


def test_ties_are_ranked_by_key_and_share_a_tier(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    for mart, prefix, rank in (
        ("pareto_curve", "", "curve_rank"),
        ("account_tiers", "revenue_", "revenue_rank"),
    ):
        value = "value" if mart == "pareto_curve" else "revenue"
        warehouse.execute(
            f"update marts.{mart} set {value} = 85, {prefix}share = 0.085, "
            f"{prefix}share_before = 0.8, "
            f"{prefix}cumulative_share = {rank} * 0.085 + 0.715, {prefix}tier = 'B' "
            "where account_key in ('b', 'c')"
        )
    warehouse.execute(
        "update marts.account_tiers set revenue_distance = 715 where account_key in ('b', 'c')"
    )
    warehouse.execute(
        "update marts.account_tiers set revenue_distance = 55 where account_key = 'd'"
    )
    warehouse.execute(
        "update marts.account_tiers set revenue_distance = 95 where account_key = 'f'"
    )
    warehouse.execute(
        "update marts.pareto_curve set cumulative_share_net = 0.893939393939 "
        "where account_key = 'b'"
    )
    assert failed(recomputed(warehouse, policy)) == set()
    warehouse.execute(
        "update marts.account_tiers set revenue_rank = 5 - revenue_rank "
        "where account_key in ('b', 'c')"
    )
    assert failed(recomputed(warehouse, policy)) == {"revenue_recomputed"}


def test_an_unreliable_margin_on_the_curve_is_found(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set gross_margin = 9, cost_coverage = 0.79 "
        "where account_key = 'a'",
        "insert into marts.pareto_curve select 'gross_margin', 'all', 1, 'a', as_of, 9, 1, 0, 1, "
        "1, 'A' "
        "from marts.pareto_curve where account_key = 'a'",
    )
    observed = results["gross_margin_recomputed"].observed
    assert "a: on the curve with less than 0.8" in observed


def test_an_unreliable_margin_off_the_curve_is_right(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set gross_margin = 9, cost_coverage = 0.79 "
        "where account_key = 'a'",
    )
    assert failed(results) == set()


@pytest.mark.parametrize(
    ("key", "column", "value", "said"),
    [
        ("b", "stable_tier", "'B'", "b: stable_tier B, recomputed A"),
        ("c", "final_tier", "'B'", "c: final_tier B, recomputed A"),
        ("c", "is_new_customer", "false", "c: is_new_customer False, recomputed True"),
        ("d", "override_tier", "null", "d: override_tier null, recomputed B"),
        ("a", "override_tier", "'C'", "a: override_tier C, recomputed null"),
    ],
)
def test_a_tampered_final_tier_is_found(
    tampered: Tampered, key: str, column: str, value: str, said: str
) -> None:
    results = tampered(
        f"update marts.account_tiers set {column} = {value} where account_key = '{key}'"
    )
    # another tier may ask for another posture
    assert failed(results) - {"posture_recomputed"} == {"final_tier_recomputed"}
    assert said in results["final_tier_recomputed"].observed


def test_an_excluded_account_has_no_raw_tier(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set raw_tier = 'C', value_tier = 'C' where account_key = 'g'",
    )
    assert "g: value_tier C, recomputed null" in results["raw_tier_recomputed"].observed
    assert "g: raw_tier C, recomputed null" in results["final_tier_recomputed"].observed


def test_a_tampered_month_before_is_found(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tier_history set raw_tier = 'B' "
        "where account_key = 'b' and as_of = '2023-11-01'",
    )
    assert "b: stable_tier A, recomputed B" in results["final_tier_recomputed"].observed


def test_a_tampered_raw_tier_is_found(tampered: Tampered) -> None:
    results = tampered("update marts.account_tiers set raw_tier = 'A' where account_key = 'd'")
    assert "d: raw_tier A, recomputed C" in results["raw_tier_recomputed"].observed


def test_accounts_alike_are_one_case(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set stable_tier = 'B' where account_key in ('e', 'f')"
    )
    assert "e and 1 like it: stable_tier B, recomputed C" in (
        results["final_tier_recomputed"].observed
    )


def test_a_short_history_is_completed_from_the_warehouse(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    warehouse.execute("drop view intermediate.int_account_final_tiers")
    warehouse.execute(
        "create table intermediate.int_account_final_tiers as from marts.account_tier_history"
    )
    warehouse.execute("delete from marts.account_tier_history where as_of < '2024-01-01'")
    short = policy.model_copy(update={"history_months": 1})
    assert failed(recomputed(warehouse, short)) == set()


def test_a_removed_account_is_not_recomputed(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set inactive_since = as_of, revenue_tier = null, "
        "value_tier = null, raw_tier = null, stable_tier = null where account_key = 'e'",
    )
    assert failed(results) == set()


def with_scheme(policy: Policy, **changes: object) -> Policy:
    """The policy with its revenue scheme changed."""
    scheme = policy.schemes["revenue"].model_copy(update=changes)
    return policy.model_copy(update={"schemes": policy.schemes | {"revenue": scheme}})


@pytest.mark.parametrize(
    ("rule", "cuts", "crossing", "tier_of_c"),
    [
        ("absolute_value", {"A": 800, "B": 50}, "include", "B"),
        ("absolute_value", {"A": 800, "B": 51}, "include", "C"),
        ("top_n", {"A": 1, "B": 3}, "include", "B"),
        ("top_n", {"A": 1, "B": 2}, "include", "C"),
        ("quantile", {"A": Decimal("0.25"), "B": Decimal("0.6")}, "include", "B"),
        ("quantile", {"A": Decimal("0.25"), "B": Decimal("0.6")}, "exclude", "C"),
    ],
)
def test_each_rule_is_recomputed_by_itself(
    warehouse: duckdb.DuckDBPyConnection,
    policy: Policy,
    rule: str,
    cuts: dict[str, Decimal],
    crossing: str,
    tier_of_c: str,
) -> None:
    points = {tier: Decimal(cut) for tier, cut in cuts.items()}
    asked = with_scheme(policy, rule=rule, cut_points=points, crossing_account=crossing)
    expected = tier_of_c == "B"
    result = recomputed(warehouse, asked)["revenue_recomputed"]
    assert result.passed is expected, result.observed
    if not expected:
        assert "c: tier B in " in result.observed
        assert f"recomputed {tier_of_c}" in result.observed


def test_the_curve_ends_its_own_tiers(warehouse: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    # shares of accounts .25, .5, .75, 1, of revenue .8, .92, .97, 1: nearest to (0, 1) is a
    # (.0625 + .04), nearest to (.25, 1) is a again (.04 against .0625 + .0064): B has no account
    points = dict.fromkeys(("A", "B"))
    asked = with_scheme(policy, rule="abc_curve", cut_points=points)
    result = recomputed(warehouse, asked)["revenue_recomputed"]
    assert "b: tier B in pareto_curve, recomputed C" in result.observed
    tiers = {"a": "A", "b": "C", "c": "C", "d": "C", "f": "C"}
    for key, tier in tiers.items():
        distance = 0 if key == "a" else "null"  # of a tier without an account there is no line
        warehouse.execute(
            f"update marts.pareto_curve set tier = '{tier}' where account_key = '{key}'"
        )
        warehouse.execute(
            f"update marts.account_tiers set revenue_tier = '{tier}', "
            f"revenue_distance = {distance} where account_key = '{key}'"
        )
    result = recomputed(warehouse, asked)["revenue_recomputed"]
    assert result.passed, result.observed


def test_an_account_on_the_curve_of_another_country_is_found(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    warehouse.execute("update marts.account_tiers set country_code = 'FR'")
    warehouse.execute("update marts.pareto_curve set population = 'FR'")
    asked = with_scheme(policy, population="country")
    assert failed(recomputed(warehouse, asked)) == set()
    warehouse.execute("update marts.account_tiers set country_code = null where account_key = 'f'")
    result = recomputed(warehouse, asked)["revenue_recomputed"]
    assert result.stops
    assert result.observed == "f: on the curve of FR, and its country_code is null"
    warehouse.execute(
        "update marts.pareto_curve set population = 'unknown' where account_key = 'f'"
    )
    observed = recomputed(warehouse, asked)["revenue_recomputed"].observed
    assert "on the curve of" not in observed  # alone, it has no line to be held against


def test_sites_inherit_the_figures_of_their_group(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    # a becomes two sites, its parent a and h, that make its 800 together
    warehouse.execute(
        "insert into marts.account_tiers by name select * replace ('h' as account_key, "
        "300 as revenue) from marts.account_tiers where account_key = 'a'"
    )
    warehouse.execute("update marts.account_tiers set revenue = 500 where account_key = 'a'")
    group = policy.model_copy(update={"classification_level": "group"})
    assert "revenue_recomputed" not in failed(recomputed(warehouse, group))
    warehouse.execute("update marts.account_tiers set revenue_tier = 'B' where account_key = 'h'")
    assert (
        "h: tier B in account_tiers, recomputed A"
        in recomputed(warehouse, group)["revenue_recomputed"].observed
    )
    warehouse.execute("update marts.account_tiers set revenue = 301 where account_key = 'h'")
    assert (
        "a: revenue 801.0000 in account_tiers, 800.0000 on the curve"
        in recomputed(warehouse, group)["revenue_recomputed"].observed
    )


def test_a_net_margin_left_off_the_curve_is_found(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    scheme = policy.schemes["gross_margin"].model_copy(update={"criterion": "net_margin"})
    warehouse.execute(
        "update marts.account_tiers set net_margin = 7, cost_coverage = 0.79 "
        "where account_key = 'a'"
    )
    asked = policy.model_copy(update={"schemes": policy.schemes | {"net_margin": scheme}})
    assert failed(recomputed(warehouse, asked)) == set()
    warehouse.execute("update marts.account_tiers set cost_coverage = 0.9 where account_key = 'a'")
    observed = recomputed(warehouse, asked)["net_margin_recomputed"].observed
    assert "a: net_margin 7.0000 is not on the curve" in observed


def test_potential_is_recomputed_into_the_raw_tier(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set potential = 5, potential_rank = 1, potential_share = 1, "
        "potential_share_before = 0, potential_cumulative_share = 1, potential_tier = 'A', "
        "potential_distance = 0 where account_key = 'd'",
        "update marts.account_tiers set potential_tier = 'C' where account_key <> 'd' "
        "and not is_excluded",
        "insert into marts.pareto_curve select 'potential', 'all', 1, 'd', as_of, 5, 1, 0, 1, 1, "
        "'A' from marts.pareto_curve where account_key = 'a'",
    )
    # the decision table makes a B of value tier C and potential tier A
    assert failed(results) == {"raw_tier_recomputed", "posture_recomputed"}
    assert results["raw_tier_recomputed"].observed == "d: raw_tier C, recomputed B"
    assert results["posture_recomputed"].observed == "d: posture maintain, recomputed win"


def test_amounts_stay_exact(warehouse: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    large = Decimal("90071992547409.9300")  # no double holds it
    warehouse.execute("update marts.pareto_curve set value = ? where account_key = 'a'", [large])
    warehouse.execute(
        "update marts.account_tiers set revenue = ? where account_key = 'a'",
        [large + Decimal("0.0001")],
    )
    assert "a: revenue 90071992547409.9301 in account_tiers" in (
        recomputed(warehouse, policy)["revenue_recomputed"].observed
    )


LOSS = (
    "update marts.account_tiers set gross_margin = -1 where account_key = 'b'",
    "update intermediate.int_account_windows set costed_turnover = 96 where account_sk = 2",
)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        # a wrong word, whatever decides it
        (
            ["update marts.account_tiers set posture = 'grow' where account_key = 'd'"],
            "d: posture grow",
        ),
        # a loss at 80 % of known cost, above the lowest tier by revenue
        (LOSS, "b: posture defend, recomputed fix"),
        # an override to B of an account that never bought
        (
            [
                "update marts.account_tiers set final_tier = 'B', posture = 'maintain' "
                "where account_key = 'e'"
            ],
            "e: posture maintain, recomputed win",
        ),
        # the cell of its own value and potential, where the table's tier stands in the end
        (
            [
                "update marts.account_tiers set final_tier = 'B' where account_key = 'c'",
                "insert into marts.pareto_curve select 'potential', 'all', 1, 'c', as_of, 5, 1, 0, 1, 1, 'B' "
                "from marts.pareto_curve where account_key = 'a'",
            ],
            "c: posture defend, recomputed grow",
        ),
    ],
)
def test_a_wrong_posture_is_found(tampered: Tampered, statements: list[str], said: str) -> None:
    result = tampered(*statements)["posture_recomputed"]
    assert result.stops
    assert said in result.observed


def test_a_small_or_barely_known_loss_is_nothing_to_fix(tampered: Tampered) -> None:
    results = tampered(
        "update marts.account_tiers set gross_margin = -1 where account_key in ('b', 'd')",
        "update intermediate.int_account_windows set costed_turnover = 95.9999 where account_sk = 2",
        "update intermediate.int_account_windows set costed_turnover = 30 where account_sk = 4",
    )
    assert results["posture_recomputed"].passed, results["posture_recomputed"].observed


def test_a_tier_that_the_table_does_not_know_has_the_posture_of_its_place(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    warehouse.execute("delete from seeds.tier_matrix")
    result = recomputed(warehouse, policy)["posture_recomputed"]
    assert result.passed, result.observed
