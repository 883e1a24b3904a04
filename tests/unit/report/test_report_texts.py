"""Texts of the report: both languages, the same places, every key used; forms of numbers and curves."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.report.drawing import Line, Mark, Picture, Zone, draw, nice_ticks
from dagster_project.lib.report.portfolio import months_back
from dagster_project.lib.report.said import TEXTS_FILE, Said, clean

TEXTS: dict[str, Any] = yaml.safe_load(TEXTS_FILE.read_text(encoding="utf-8"))
CODE = "".join(
    path.read_text(encoding="utf-8")
    for path in TEXTS_FILE.parent.rglob("*")
    if path.suffix in (".py", ".j2")
)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_each_text_is_said_in_both_languages_with_the_same_places(key: str) -> None:
    said = TEXTS[key]
    assert said.keys() == {"en", "fr"}
    forms = [
        form
        for text in said.values()
        for form in (text.values() if isinstance(text, Mapping) else [text])
    ]
    assert all(isinstance(form, str) and form for form in forms)
    assert len({frozenset(places(form) - {"n"}) for form in forms}) == 1, forms
    assert len({isinstance(text, Mapping) for text in said.values()}) == 1


def test_no_text_is_left_over() -> None:
    # families of keys are put together: relationship_, cause_, risk_, observed_, word_, ...
    families = set(re.findall(r'f"([a-z_]+)_\{', CODE)) | {"word"}
    unused = [
        key
        for key in TEXTS
        if f'"{key}"' not in CODE and not any(key.startswith(f"{f}_") for f in families)
    ]
    assert unused == []


def test_numbers_and_days_are_written_as_each_language_writes_them() -> None:
    english, french = Said("en", currency="EUR"), Said("fr", currency="EUR")
    amount = Decimal("154213668.4896")
    assert (english.money(amount), french.money(amount)) == (
        "154,213,668",
        "154\u202f213\u202f668",
    )
    assert (english.short_money(amount), french.short_money(amount)) == (
        "€154.2M",
        "154,2\u00a0M\u00a0€",
    )
    assert english.percent(0.8837) == "88.4%"
    assert re.fullmatch("88,4[\u00a0\u202f]%", french.percent(0.8837))
    assert (english.day(date(2026, 11, 1)), french.day(date(2026, 11, 1))) == (
        "1 November 2026",
        "1er novembre 2026",
    )
    assert english.percent(None) == french.money(None) == "–"
    assert english.change(0.017) == "+1.7%"


def test_the_plural_follows_the_language() -> None:
    english, french = Said("en", currency="EUR"), Said("fr", currency="EUR")
    assert english("mark_accounts", n=0, share="x").startswith("0 accounts")
    assert french("mark_accounts", n=0, share="x").startswith("0 compte\u00a0")
    assert english("mark_accounts", n=1, share="x").startswith("1 account:")


def test_french_marks_hold_to_their_word() -> None:
    french = Said("fr", currency="EUR")
    assert "\u00a0:" in french("tiers_note") and " :" not in french("tiers_note")


def test_amounts_of_a_sentence_get_separators() -> None:
    reason = "A: revenue 301231.59 EUR, rank 109; the accounts before it hold 67.27% of the total."
    assert "301,231.59 EUR" in Said("en", currency="EUR").sentence(reason)
    assert re.search("301[\u00a0\u202f]231,59", Said("fr", currency="EUR").sentence(reason))


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    assert not [c for c in clean(text) if ord(c) < 32 or 127 <= ord(c) < 160]


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_few_round_and_hold_both_ends(low: float, span: float) -> None:
    ticks = nice_ticks(low, low + span)
    assert 2 <= len(ticks) <= 8
    tolerance = 1e-6 * max(1.0, abs(low), abs(low + span))
    assert ticks[0] <= low + tolerance and ticks[-1] >= low + span - tolerance
    assert ticks == sorted(set(ticks))


def test_an_axis_of_counts_says_no_number_twice() -> None:
    assert nice_ticks(0.0, 3.0, least_step=1.0) == [0.0, 1.0, 2.0, 3.0]
    assert nice_ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_curves_that_end_in_one_point_have_labels_apart() -> None:
    lines = [Line([(0.0, 1.0), (1.0, 1.0)], label=label) for label in ("Gini", "Top", "All")]
    picture = Picture(lines=lines, x_title="", x_ticks=[], y_text=str, label_room=60)
    heights = re.findall(r'class="line-1-label" x="[\d.]+" y="([\d.]+)"', str(draw(picture)))
    assert len({float(height) for height in heights}) == 3
    assert min(float(b) - float(a) for a, b in pairwise(sorted(heights, key=float))) >= 15


def test_a_drawing_escapes_what_it_is_told_and_stays_inside() -> None:
    picture = Picture(
        lines=[Line([(0.0, 0.0), (0.5, 0.8), (1.0, 1.0)], label="<b>end</b>")],
        x_title="x",
        x_ticks=[(0.0, "0"), (1.0, "1")],
        y_text=lambda value: f"{value:.1f}",
        marks=[Mark((1.0, 1.0), '"peak" & more')],
        zones=[Zone(0.0, 0.5, "<A>", "zone-1")],
        label_room=60,
    )
    svg = str(draw(picture))
    assert "<b>" not in svg and "&lt;b&gt;end" in svg and "&lt;A&gt;" in svg
    numbers = [float(n) for n in re.findall(r'\b(?:x|y|cx|cy|x1|x2|y1|y2)="([-\d.]+)"', svg)]
    assert numbers and min(numbers) >= 0 and max(numbers) <= 400


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert months_back(date(2026, 1, 1), 12) == date(2025, 1, 1)
    assert months_back(date(2026, 2, 1), 3) == date(2025, 11, 1)
    assert months_back(date(2023, 11, 1), -11) == date(2024, 10, 1)
