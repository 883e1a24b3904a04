"""The playbook that ships: every posture of the tier matrix has plays of each kind, in both languages, of substance."""

import csv
import re
from itertools import product
from pathlib import Path

import pytest

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
KINDS = ("strategic", "tactical", "social_selling")
FITTING = {
    "A": ("defend", "grow", "win", "fix"),
    "B": ("grow", "maintain", "win", "fix"),
    "C": ("win", "serve lean"),
}
TRIGGERS = [
    "at_risk_recency",
    "at_risk_trend",
    "at_risk_margin",
    "at_risk_satisfaction",
    "under_served",
    "over_served",
    "unprofitable",
    "promoted",
    "demoted",
    "new_customer",
    "whitespace",
    "open_pipeline",
    "prospect_high_potential",
    "former_customer",
    "always",
]


def rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


PLAYS = rows("tier_plays")


def test_triggers_are_the_vocabulary_most_urgent_first() -> None:
    listed = [row["play_trigger"] for row in rows("play_triggers")]
    assert listed == TRIGGERS
    assert [int(row["urgency"]) for row in rows("play_triggers")] == list(range(1, 16))


@pytest.mark.parametrize("kind", KINDS)
def test_each_tier_and_posture_has_a_play_of_each_kind_that_always_fits(kind: str) -> None:
    always = {
        (p["tier"], p["posture"])
        for p in PLAYS
        if p["play_trigger"] == "always" and p["play_kind"] == kind
    }
    wanted = {(tier, posture) for tier, postures in FITTING.items() for posture in postures}
    assert wanted <= always, wanted - always
    assert ("*", "*") in always, "a tier of another name has no play of this kind"


def test_each_trigger_has_a_play() -> None:
    assert {p["play_trigger"] for p in PLAYS} == set(TRIGGERS)


def test_postures_and_tiers_are_those_of_the_matrix() -> None:
    matrix = rows("tier_matrix")
    assert {p["posture"] for p in PLAYS} <= {r["posture"] for r in matrix} | {"fix", "*"}
    assert {p["tier"] for p in PLAYS} <= {r["final_tier"] for r in matrix} | {"*"}


def test_ids_and_places_are_single() -> None:
    assert len({p["play_id"] for p in PLAYS}) == len(PLAYS) >= 24
    places = [(p["tier"], p["posture"], p["play_trigger"], p["priority"]) for p in PLAYS]
    assert len(set(places)) == len(places), "two plays of one place: give them different priorities"


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: str(play["play_id"]))
def test_a_play_says_who_does_what_by_when_in_both_languages(play: dict[str, str]) -> None:
    for language in ("en", "fr"):
        action = play[f"action_{language}"]
        assert 2 <= len(re.findall(r"[.!?](?:\s|$)", action)) <= 3, action
        assert 150 <= len(action) <= 700, action
        assert 5 <= len(play[f"title_{language}"]) <= 70
        assert play[f"success_measure_{language}"].endswith(".")
    assert play["play_kind"] in KINDS
    assert (play["play_kind"] == "strategic") == (not play["tool"]), (
        "tactical plays name their tool"
    )
    assert 0 < float(play["effort_hours"]) <= 40


def test_french_is_french() -> None:
    french = " ".join(
        p[f"{part}_fr"] for p in PLAYS for part in ("title", "action", "success_measure")
    )
    assert "'" not in french, "the apostrophe of French is ’"
    assert not re.search(r"(?<!\u00a0)[;:?!%](?!\d)", french), "no-break space before ; : ? ! %"
    unaccented = [
        p["play_id"]
        for p in PLAYS
        if not re.search(r"[éèàêçôîûÉÀ]", p["action_fr"] + p["success_measure_fr"])
    ]
    assert unaccented == []
    assert not set("äöüß") & set(french)


def test_pairs_of_tier_and_posture_that_no_play_names_fall_to_each() -> None:
    named = {(p["tier"], p["posture"]) for p in PLAYS if p["play_trigger"] == "always"}
    unnamed = (
        set(product("ABC", {"defend", "grow", "win", "fix", "maintain", "serve lean"})) - named
    )
    assert ("C", "defend") in unnamed
