"""The reference of the tier rules on cases small enough to check in one's head."""

from decimal import Decimal

import pandas as pd
import pytest

from dagster_project.lib.reference import SchemeRule, tier_accounts

CUTS = (("A", Decimal("0.80")), ("B", Decimal("0.95")))
INCLUDE = SchemeRule(CUTS, "C")
EXCLUDE = SchemeRule(CUTS, "C", "exclude")
NEAREST = SchemeRule(CUTS, "C", "nearest")


def tiered(values: dict[str, str | None], rule: SchemeRule = INCLUDE) -> pd.DataFrame:
    """Tier accounts given as key -> amount in text."""
    amounts = [None if value is None else Decimal(value) for value in values.values()]
    frame = pd.DataFrame(
        {
            "account_key": pd.Series(list(values), dtype=object),
            "value": pd.Series(amounts, dtype=object),
        }
    )
    return tier_accounts(frame, rule).set_index("account_key")


def tiers_of(values: dict[str, str | None], rule: SchemeRule = INCLUDE) -> str:
    """The tiers in input order, as one word."""
    return "".join(tiered(values, rule)["tier"])


def test_the_account_that_crosses_the_line_is_in() -> None:
    assert tiers_of({"a": "70", "b": "20", "c": "6", "d": "4"}) == "AABC"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(INCLUDE, "AABC"), (EXCLUDE, "ABCC"), (NEAREST, "AABC")],
)
def test_crossing_rules_differ_on_the_crossing_account_only(
    rule: SchemeRule, expected: str
) -> None:
    # through a 70, b 90 (80 lies half-way: nearest takes b), c 96 (95 is 1 behind), d 100
    assert tiers_of({"a": "70", "b": "20", "c": "6", "d": "4"}, rule) == expected


def test_nearest_leaves_out_the_account_that_overshoots_by_more_than_it_lacked() -> None:
    assert tiers_of({"a": "70", "b": "21", "c": "5", "d": "4"}, NEAREST) == "ABBC"


def test_nearest_takes_in_the_account_at_equal_distance() -> None:
    assert tiers_of({"a": "75", "b": "10", "c": "10", "d": "5"}, NEAREST) == "ABBC"
    assert tiers_of({"a": "60", "b": "40"}, NEAREST) == "AA"


@pytest.mark.parametrize("rule", [INCLUDE, EXCLUDE, NEAREST])
def test_a_cut_exactly_on_the_line_takes_in_what_reaches_it_and_no_more(rule: SchemeRule) -> None:
    assert tiers_of({"a": "80", "b": "15", "c": "5"}, rule) == "ABC"


def test_a_line_met_to_the_last_ten_thousandth_is_not_passed() -> None:
    # 0.8 and 0.1 are no binary fractions: floats would find 0.8 * 1.0001 above or below by chance
    assert tiers_of({"a": "0.8000", "b": "0.1000", "c": "0.1000"}) == "ABB"
    assert tiers_of({"a": "0.7999", "b": "0.1001", "c": "0.1000"}) == "AAB"


def test_ties_across_a_line_share_the_better_tier_under_include() -> None:
    result = tiered({"c": "10", "b": "10", "a": "75", "d": "5"})
    assert list(result["tier"]) == ["A", "A", "A", "C"]
    assert list(result["rank"]) == [3, 2, 1, 4]
    assert list(result["share_before"]) == [0.75, 0.75, 0.0, 0.95]
    assert list(result["cumulative_share"]) == [0.95, 0.85, 0.75, 1.0]


def test_ties_across_a_line_are_one_account_under_exclude_and_nearest() -> None:
    values: dict[str, str | None] = {"a": "75", "b": "10", "c": "10", "d": "5"}
    assert tiers_of(values, EXCLUDE) == "ABBC"
    assert tiers_of(values, NEAREST) == "ABBC"


def test_all_equal_accounts_are_all_in_the_best_tier() -> None:
    assert tiers_of(dict.fromkeys("abcde", "7")) == "AAAAA"
    assert tiers_of(dict.fromkeys("abcde", "7"), EXCLUDE) == "CCCCC"


def test_97_percent_in_one_account() -> None:
    values: dict[str, str | None] = {"a": "97", "b": "2", "c": "1"}
    assert tiers_of(values) == "ACC"
    assert tiers_of(values, EXCLUDE) == "CCC"
    assert tiers_of(values, NEAREST) == "ACC"


def test_zero_negative_and_missing_values_are_lowest_with_their_reason() -> None:
    result = tiered({"a": "100", "zero": "0", "minus": "-40", "none": None})
    assert list(result["tier"]) == ["A", "C", "C", "C"]
    assert list(result["tier_reason"]) == ["share", "non_positive", "non_positive", "no_sales"]
    assert result["rank"].isna().tolist() == [False, True, True, True]
    assert result.loc["a", "share"] == 1.0
    assert result["share"].isna().tolist() == [False, True, True, True]


def test_the_net_curve_passes_one_and_comes_back() -> None:
    result = tiered({"a": "60", "b": "40", "minus": "-20", "none": None})
    assert list(result["cumulative_share_net"].dropna()) == [0.75, 1.25, 1.0]
    assert list(result["cumulative_share"].dropna()) == [0.6, 1.0]


def test_a_net_total_of_zero_has_no_net_curve() -> None:
    result = tiered({"a": "20", "minus": "-20"})
    assert result["cumulative_share_net"].isna().all()
    assert list(result["tier"]) == ["A", "C"]


def test_no_positive_value_means_lowest_tier_and_no_shares() -> None:
    result = tiered({"zero": "0", "minus": "-1", "none": None})
    assert list(result["tier"]) == ["C", "C", "C"]
    assert list(result["tier_reason"]) == ["no_positive_total", "no_positive_total", "no_sales"]
    assert result[["share", "share_before", "cumulative_share"]].isna().all().all()
    assert result["distance"].isna().all()


def test_one_account_is_a() -> None:
    result = tiered({"only": "0.0001"})
    assert result.loc["only", "tier"] == "A"
    assert result.loc["only", "cumulative_share"] == 1.0
    assert result.loc["only", "distance"] == Decimal(0)


def test_no_account_gives_no_row() -> None:
    result = tier_accounts(
        pd.DataFrame({"account_key": pd.Series(dtype=object), "value": pd.Series(dtype=object)}),
        INCLUDE,
    )
    assert result.empty
    assert "tier" in result.columns


def test_distance_is_the_money_to_the_next_better_tiers_smallest_member() -> None:
    result = tiered({"a": "70", "b": "20", "c": "6", "d": "4", "e": "-5", "none": None})
    assert list(result["distance"])[:5] == [
        Decimal(value) for value in ("-50", "0", "14", "2", "11")
    ]
    assert result["distance"].isna()["none"]


def test_distance_is_null_where_the_better_tier_is_empty() -> None:
    result = tiered({"a": "97", "b": "3"})
    assert list(result["tier"]) == ["A", "C"]
    assert result["distance"].isna()["b"]


def test_each_population_has_its_own_curve_and_the_input_order_stays() -> None:
    frame = pd.DataFrame(
        {
            "account_key": ["n", "s", "m"],
            "value": [Decimal(1), Decimal(900), Decimal(99)],
            "population": ["north", "south", "north"],
        },
        index=[7, 3, 5],
    )
    result = tier_accounts(frame, INCLUDE)
    assert list(result.index) == [7, 3, 5]
    assert list(result["tier"]) == ["C", "A", "A"]
    assert list(result["rank"]) == [2, 1, 1]


def test_an_unreliable_value_stays_off_the_curve_with_its_reason() -> None:
    frame = pd.DataFrame(
        {
            "account_key": ["a", "b"],
            "value": pd.Series([Decimal(900), Decimal(1)], dtype=object),
            "value_reason": ["margin_unreliable", None],
        }
    )
    result = tier_accounts(frame, INCLUDE)
    assert list(result["tier"]) == ["C", "A"]
    assert list(result["tier_reason"]) == ["margin_unreliable", "share"]
    assert result["cumulative_share"].isna().tolist() == [True, False]


def test_any_number_of_tiers() -> None:
    rule = SchemeRule((("gold", Decimal("0.5")),), "rest")
    assert list(tiered({"a": "3", "b": "2", "c": "1"}, rule)["tier"]) == ["gold", "rest", "rest"]
    assert set(tiered({"a": "3", "b": "2"}, SchemeRule((), "all"))["tier"]) == {"all"}


def test_amounts_beyond_float_and_beyond_28_digits_stay_exact() -> None:
    huge = "1234567890123456789012345678901234.0001"
    result = tiered({"a": huge, "b": huge[:-1] + "0"})
    assert list(result["rank"]) == [1, 2]
    assert result.loc["a", "distance"] == Decimal("-0.0001")


def test_bad_rules_and_values_are_refused() -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        SchemeRule((("A", Decimal("0.9")), ("B", Decimal("0.9"))), "C")
    with pytest.raises(ValueError, match="at most 1"):
        SchemeRule((("A", Decimal("1.1")),), "C")
    with pytest.raises(ValueError, match="at most 6 decimals"):
        SchemeRule((("A", Decimal("0.8000001")),), "C")
    with pytest.raises(ValueError, match="named twice"):
        SchemeRule((("A", Decimal("0.8")),), "A")
    with pytest.raises(ValueError, match="at most 4 decimals"):
        tiered({"a": "0.00001"})
    frame = pd.DataFrame({"account_key": ["a", "a"], "value": [Decimal(1), Decimal(2)]})
    with pytest.raises(ValueError, match="not unique"):
        tier_accounts(frame, INCLUDE)
    with pytest.raises(TypeError, match="Decimal"):
        tier_accounts(pd.DataFrame({"account_key": ["a"], "value": [1.5]}), INCLUDE)
