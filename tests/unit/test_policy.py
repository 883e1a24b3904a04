"""The policy file: what a user may write, what it becomes, and what each slip is told."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.lib.audiences.destinations import chosen_destinations, with_minimums
from dagster_project.policy import PolicyError, load_policy


def written(folder: Path, text: str) -> Path:
    path = folder / "usd.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_default_policy_loads_and_asks_for_nothing_that_is_not_built() -> None:
    policy = load_policy(None)
    assert policy.unsupported() == []
    assert (policy.reporting_currency, policy.minor_unit) == ("EUR", 2)
    assert policy.primary.cut_points == {"A": Decimal("0.80"), "B": Decimal("0.95")}
    assert list(policy.schemes) == ["revenue", "gross_margin", "potential"]


def test_empty_file_and_empty_sections_leave_the_default(tmp_path: Path) -> None:
    default = load_policy(None)
    for text in ("", "# nothing\n", "schemes:\ngate:\n", "\ufeffreporting_currency: EUR\n"):
        assert load_policy(written(tmp_path, text)) == default


def test_part_of_a_scheme_overrides_key_by_key_and_cut_points_as_a_whole(tmp_path: Path) -> None:
    text = "schemes: {revenue: {crossing_account: nearest, cut_points: {Gold: 0.7}}}"
    scheme = load_policy(written(tmp_path, text)).schemes["revenue"]
    assert scheme.cut_points == {"Gold": Decimal("0.7")}
    assert (scheme.crossing_account, scheme.lowest_tier) == ("nearest", "C")
    assert scheme.criterion == "revenue"


def test_new_scheme_in_short_form_takes_the_defaults(tmp_path: Path) -> None:
    text = """
    primary_scheme: strict
    schemes:
      strict: {criterion: revenue, cut_points: {1: .5, 2: 0.75}, lowest_tier: 3}
    """
    policy = load_policy(written(tmp_path, text))
    assert policy.primary.rule == "cumulative_share"
    assert policy.primary.crossing_account == "include"
    assert policy.primary.population == "all"
    assert policy.primary.tiers == ("1", "2", "3")
    assert [row["is_primary"] for row in policy.scheme_rows()] == [False, False, False, True]


def test_numbers_are_exact_and_words_stay_words(tmp_path: Path) -> None:
    text = "schemes: {revenue: {cut_points: {NO: 0.1, on: 0.3}, lowest_tier: off}}\n"
    scheme = load_policy(written(tmp_path, text)).primary
    assert scheme.tiers == ("NO", "on", "off")
    assert str(scheme.cut_points["on"]) == "0.3"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("reporting_currency: jpy", 0),
        ("reporting_currency: USD", 2),
        ("reporting_currency: KWD", 3),
        ("{reporting_currency: JPY, currency: {line_decimals: 4}}", 4),
    ],
)
def test_minor_unit_follows_currency_and_line_decimals(
    tmp_path: Path, text: str, digits: int
) -> None:
    assert load_policy(written(tmp_path, text)).minor_unit == digits


def test_hash_is_of_the_meaning(tmp_path: Path) -> None:
    default = load_policy(None).sha256()
    same = written(tmp_path, "schemes: {revenue: {cut_points: {A: 0.8, B: 0.950}}}")
    assert load_policy(same).sha256() == default
    assert load_policy(written(tmp_path, "window_months: 6")).sha256() != default
    assert len(default) == 64


def test_rows_for_the_warehouse() -> None:
    policy = load_policy(None)
    row = policy.parameters(date(2014, 1, 1))
    assert row["as_of"] == date(2014, 1, 1)
    assert row["line_decimals"] == 2
    assert row["major_customer_share"] == Decimal("0.10")
    assert (row["best_tier"], row["lowest_tier"]) == ("A", "C")
    assert None not in row.values()
    cuts = [line for line in policy.cut_point_rows() if line["scheme"] == "gross_margin"]
    assert [(c["tier"], c["tier_rank"], c["cut_millionths"]) for c in cuts] == [
        ("A", 1, 800_000),
        ("B", 2, 950_000),
        ("C", 3, None),
    ]
    assert {c["crossing_account"] for c in cuts} == {"include"}
    assert policy.scheme_rows()[0] == {
        "scheme": "revenue",
        "criterion": "revenue",
        "rule": "cumulative_share",
        "crossing_account": "include",
        "population": "all",
        "is_primary": True,
        "lowest_tier": "C",
    }
    assert policy.override_budget_rows() == [{"tier": "A", "max_share": Decimal("0.05")}]


def test_inherited_budget_of_a_tier_that_is_gone_is_dropped(tmp_path: Path) -> None:
    text = "schemes: {revenue: {cut_points: {Gold: 0.8}, lowest_tier: Rest}}"
    assert load_policy(written(tmp_path, text)).override_budget_rows() == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("final_tier: {matrix: own.csv}", ["final_tier.matrix: own.csv"]),
        (
            "identity: {public_email_domains: own.csv}",
            ["identity.public_email_domains: own.csv"],
        ),
    ],
)
def test_what_is_not_built_yet_is_named(tmp_path: Path, text: str, named: list[str]) -> None:
    assert load_policy(written(tmp_path, text)).unsupported() == named


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{minimums: own.csv}", "own.csv is neither default nor rows by destination"),
        ("{minimums: {facebook: 9}}", "facebook is no destination; name one of generic, "),
        ("{minimums: {linkedin_companies: 299}}", "299 must be a whole number from 300 on"),
        ("{minimums: {linkedin_companies: true}}", "must be a whole number from 300 on"),
        ("{consent: optional}", "audiences.consent"),
    ],
)
def test_audiences_of_a_policy_are_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, f"audiences: {text}"))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_company_may_ask_for_longer_lists_than_the_destination(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "audiences: {minimums: {linkedin_companies: 1000}}"))
    assert policy.unsupported() == []
    assert policy.audiences.minimum_rows() == {"linkedin_companies": 1000}
    raised = with_minimums(chosen_destinations(), policy.audiences.minimum_rows())
    own = chosen_destinations()
    assert {d.name: d.minimum_rows for d in raised} == {
        d.name: 1000 if d.name == "linkedin_companies" else d.minimum_rows for d in own
    }
    assert load_policy(None).audiences.minimum_rows() == {}


BUILT = """
classification_level: group
primary_scheme: net_margin
schemes:
  revenue: {rule: absolute_value, cut_points: {A: 1000, B: 50.5}, population: country}
  gross_margin: {rule: top_n, cut_points: {A: 10, B: 50}, population: industry}
  potential: {rule: quantile, cut_points: {A: 0.1, B: 0.3}, population: business_unit}
  net_margin: {criterion: net_margin, rule: abc_curve, cut_points: {A: , B: }, lowest_tier: C}
final_tier: {caps: {A: {total: 100, per_owner: 12}, B: {per_owner: 40}}}
"""


def test_every_rule_population_level_and_cap_is_built(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, BUILT))
    assert policy.unsupported() == []
    assert {(row["scheme"], row["rule"], row["population"]) for row in policy.scheme_rows()} == {
        ("revenue", "absolute_value", "country"),
        ("gross_margin", "top_n", "industry"),
        ("potential", "quantile", "business_unit"),
        ("net_margin", "abc_curve", "all"),
    }
    cuts = {
        (row["scheme"], row["tier"]): (row["cut_millionths"], row["cut_value"])
        for row in policy.cut_point_rows()
    }
    assert cuts == {
        ("revenue", "A"): (None, Decimal(1000)),
        ("revenue", "B"): (None, Decimal("50.5")),
        ("gross_margin", "A"): (10_000_000, None),
        ("gross_margin", "B"): (50_000_000, None),
        ("potential", "A"): (100_000, None),
        ("potential", "B"): (300_000, None),
        ("net_margin", "A"): (None, None),
        ("net_margin", "B"): (None, None),
        **{(scheme, "C"): (None, None) for scheme in policy.schemes},
    }
    assert policy.cap_rows() == [
        {"tier": "A", "scope": "total", "max_accounts": 100},
        {"tier": "A", "scope": "per_owner", "max_accounts": 12},
        {"tier": "B", "scope": "per_owner", "max_accounts": 40},
    ]
    assert load_policy(None).cap_rows() == []


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        ("window_months: 6", True),
        ("schemes: {potential: {cut_points: {A: 0.7, B: 0.9}}}", True),
        ("potential: {min_peers: 3}", True),
        ("classification_level: group", True),
        ("final_tier: {demotion_patience_months: 2}", True),
        ("final_tier: {new_customer_months: 2}", True),
        ("gate: {min_cost_coverage: 0.5}", True),
        ("gate: {max_revenue_change: 0.9}", False),
        ("history_months: 12", False),
        ("publication: {keep_releases: 3}", False),
        ("final_tier: {caps: {A: {total: 3}}}", False),
        ("concentration: {major_customer_share: 0.2}", False),
    ],
)
def test_hash_of_the_rules_is_of_what_decides_a_tier(
    tmp_path: Path, text: str, decides: bool
) -> None:
    changed = load_policy(written(tmp_path, text))
    default = load_policy(None)
    assert changed.sha256() != default.sha256()
    assert (changed.rules_sha256() != default.rules_sha256()) is decides
    assert default.parameters(date(2026, 1, 1))["rules_hash"] == default.rules_sha256()


CUTS = "schemes: {revenue: {cut_points: %s}}"
RULE = "schemes: {revenue: {rule: %s}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CUTS % "{A: 0.95, B: 0.80}",
            "schemes.revenue.cut_points: B (0.80) must be greater than A (0.95); "
            "list the tiers from best to last with rising shares",
        ),
        (
            CUTS % "{A: 0.80, B: 0.80}",
            "schemes.revenue.cut_points: B (0.80) must be greater than A (0.80); "
            "list the tiers from best to last with rising shares",
        ),
        (
            CUTS % "{A: 80}",
            "schemes.revenue.cut_points: A (80) must lie between 0 and 1, both excluded; "
            "write 80% as 0.80, and leave what is left to lowest_tier",
        ),
        (
            CUTS % "{A: 0.8, B: 1.0}",
            "schemes.revenue.cut_points: B (1.0) must lie between 0 and 1, both excluded; "
            "write 80% as 0.80, and leave what is left to lowest_tier",
        ),
        (
            CUTS % "{A: 0.1234567}",
            "schemes.revenue.cut_points: A (0.1234567) has more than 6 decimals; round it",
        ),
        (
            CUTS % "{A: , B: 0.9}",
            "schemes.revenue.cut_points: A has no cut point; write one, such as 0.80",
        ),
        (
            RULE % "absolute_value, cut_points: {A: 50, B: 1000}",
            "schemes.revenue.cut_points: B (1000) must be less than A (50); "
            "list the tiers from best to last with falling amounts",
        ),
        (
            RULE % "absolute_value, cut_points: {A: 50, B: 0}",
            "schemes.revenue.cut_points: B (0) must be an amount above 0 with at most 4 decimals; "
            "what is not positive belongs to the lowest tier anyway",
        ),
        (
            RULE % "absolute_value, cut_points: {A: 50.00001}",
            "schemes.revenue.cut_points: A (50.00001) must be an amount above 0 with at most "
            "4 decimals; what is not positive belongs to the lowest tier anyway",
        ),
        (
            RULE % "top_n, cut_points: {A: 50, B: 10}",
            "schemes.revenue.cut_points: B (10) must be greater than A (50); "
            "list the tiers from best to last with rising numbers",
        ),
        (
            RULE % "top_n, cut_points: {A: 0.5}",
            "schemes.revenue.cut_points: A (0.5) must be a whole number of accounts from 1 to "
            "1000000000; correct it",
        ),
        (
            RULE % "top_n, cut_points: {A: 1000000001}",
            "schemes.revenue.cut_points: A (1000000001) must be a whole number of accounts from 1 "
            "to 1000000000; correct it",
        ),
        (
            RULE % "quantile, cut_points: {A: 10}",
            "schemes.revenue.cut_points: A (10) must lie between 0 and 1, both excluded; "
            "write 80% as 0.80, and leave what is left to lowest_tier",
        ),
        (
            RULE % "abc_curve, cut_points: {A: }",
            "schemes.revenue.cut_points: 1 tiers; abc_curve finds the ends of two, so name two, "
            "such as {A:, B:}",
        ),
        (
            "final_tier: {caps: {Z: {total: 1}}}",
            "final_tier.caps: Z is not a tier of scheme revenue; name one of A, B, C",
        ),
        (CUTS % "{}", "schemes.revenue.cut_points: no tier; name at least one, such as {A: 0.80}"),
        (
            CUTS % "{A: 80%}",
            "schemes.revenue.cut_points.A: 80% must be a number, such as 0.80; correct the value",
        ),
        (
            CUTS % "{A: .nan}",
            "schemes.revenue.cut_points.A: .nan must be a number, such as 0.80; correct the value",
        ),
        (
            CUTS % "{A: 0.7, B: 0.8, C: 0.9}",
            "schemes.revenue.lowest_tier: C is also a cut point; "
            "name a tier for the rest, such as D",
        ),
        (
            CUTS % "{A: 0.7, A: 0.8}",
            "line 1: A stands twice; keep one of the two",
        ),
        (
            "schemes: {new: {criterion: revenue, cut_points: {A: 0.8}}}",
            "schemes.new.lowest_tier: missing; add it",
        ),
        (
            "schemes: {revenue: {criterion: gross_margin}}",
            "schemes: revenue is named like a criterion and ranks on gross_margin; "
            "set its criterion to revenue or rename the scheme",
        ),
        (
            "schemes: {revenue: {crossing_account: in}}",
            "schemes.revenue.crossing_account: in must be 'include', 'exclude' or 'nearest'; "
            "correct the value",
        ),
        (
            "primary_scheme: margin",
            "primary_scheme: margin is not among the schemes; "
            "name one of revenue, gross_margin, potential",
        ),
        (
            "reporting_currency: EURO",
            "reporting_currency: EURO is not an ISO 4217 code; write one such as EUR or USD",
        ),
        ("window_month: 6", "window_month: unknown key; did you mean window_months?"),
        (
            "{window_months: 0, gate: {min_populaton: 3}}",
            "gate.min_populaton: unknown key; did you mean min_population?",
        ),
        (
            "schemes: {revenue: {cutpoints: {A: 0.8}}}",
            "schemes.revenue.cutpoints: unknown key; did you mean cut_points?",
        ),
        (
            "concentration: {xyz: 1}",
            "concentration.xyz: unknown key; the keys here are major_customer_share",
        ),
        ("window_months: 0", "window_months: 0 must be 1 or more; correct the value"),
        ("window_months: true", "window_months: true must be a number; correct the value"),
        ("window_months: 1.5", "window_months: 1.5 must be a whole number; correct the value"),
        ("history_months: 121", "history_months: 121 must be 120 or less; correct the value"),
        (
            "gate: {max_rejected_share: 1.2}",
            "gate.max_rejected_share: 1.2 must be 1 or less; correct the value",
        ),
        ("gate: 5", "gate: 5 must be a list of `key: value` lines; correct the value"),
        (
            "exclusions: {one_time: perhaps}",
            "exclusions.one_time: perhaps must be true or false; correct the value",
        ),
        (
            "currency: {line_decimals: 7}",
            "currency.line_decimals: 7 must be minor_unit or a whole number from 0 to 4",
        ),
        (
            "identity: {accept_probability: 0.5}",
            "identity.review_probability: 0.60 must not be above accept_probability (0.5); "
            "lower it",
        ),
        (
            "final_tier: {override_budget: {Z: 0.1}}",
            "final_tier.override_budget: Z is not a tier of scheme revenue; name one of A, B, C",
        ),
        ("- A\n- B\n", "the file must be a list of `key: value` lines"),
        (
            "gate: {\n",
            "line 2, column 1: expected the node content, but found '<stream end>'; "
            "correct the YAML (spaces for indentation, `key: value`)",
        ),
        (
            "gate: &a\n  min_population: *a\n",
            "gate.min_population: {'min_population': {...}} must be a whole number; "
            "correct the value",
        ),
        ("gate: " + "[" * 5000, "nested too deeply; a settings file has a few levels"),
    ],
)
def test_each_slip_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert str(caught.value) == f"policy {path}: {message}"


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no.yml"
    with pytest.raises(PolicyError) as caught:
        load_policy(missing)
    assert str(caught.value) == f"policy {missing}: there is no such file; check the path"
    with pytest.raises(PolicyError, match="this is a folder; name a YAML file"):
        load_policy(tmp_path)
    latin = tmp_path / "latin.yml"
    latin.write_bytes(b"# caf\xe9\n")
    with pytest.raises(PolicyError, match="byte 6 is not UTF-8; save it as UTF-8"):
        load_policy(latin)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "schemes: {revnue: {cut_points: {A: 0.7, B: 0.9}}}",
            "schemes.revnue: unknown scheme 'revnue', did you mean 'revenue'?",
        ),
        (
            "schemes: {zebra: {cut_points: {A: 0.7}}}",
            "unknown scheme 'zebra'; known are revenue, gross_margin, potential.",
        ),
        (
            "schemes: {revenue: {rule: top_n}}",
            "schemes.revenue: rule top_n without cut_points; the default's are shares (A: 0.80, B: 0.95), "
            "so write them, such as {A: 20, B: 100}",
        ),
        (
            "schemes: {potential: {rule: absolute_value, cut_points: }}",
            "schemes.potential: rule absolute_value without cut_points",
        ),
    ],
)
def test_slips_in_schemes_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PolicyError) as error:
        load_policy(written(tmp_path, text))
    assert told in str(error.value)


def test_rules_of_shares_may_keep_the_cut_points(tmp_path: Path) -> None:
    scheme = load_policy(written(tmp_path, "schemes: {revenue: {rule: quantile}}")).primary
    assert scheme.cut_points == {"A": Decimal("0.80"), "B": Decimal("0.95")}
