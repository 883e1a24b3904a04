"""What a report says and draws of a company with few accounts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.report.blocks import Cell, Chart, Table, Text
from dagster_project.lib.report.drawing import Line, Mark, Picture, draw
from dagster_project.lib.report.said import Said
from dagster_project.lib.report.sections.curves import concentration
from dagster_project.lib.report.sections.trusted import backtested
from dagster_project.lib.report.trust import Backtest

FRENCH, ENGLISH = Said("fr", currency="EUR"), Said("en", currency="EUR")
LETTER, HEIGHT = 7.0, 11.0  # at least so wide and high is a letter of a mark


def drawn_labels(svg: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom."""
    found = re.findall(
        r'class="mark-label" x="([-\d.]+)" y="([-\d.]+)" text-anchor="start">([^<]*)<', svg
    )
    return [
        (float(x), float(y) - HEIGHT, float(x) + LETTER * len(text), float(y))
        for x, y, text in found
    ]


def points_between(path: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [
        (x + (u - x) * step / 50, y + (v - y) * step / 50)
        for (x, y), (u, v) in pairwise(path)
        for step in range(51)
    ]


def picture(values: Sequence[int], marked: Sequence[int]) -> Picture:
    """A Pareto curve; the accounts of these ranks are marked."""
    ordered, total = sorted(values, reverse=True), sum(values)
    points = [
        (rank / len(ordered), value / total)
        for rank, value in enumerate(accumulate(ordered, initial=0))
    ]
    return Picture(
        lines=[Line(points)],
        x_title="",
        x_ticks=[],
        y_text=str,
        y_title="Part cumulée : chiffre d’affaires",
        marks=[Mark(points[rank], f"{rank} comptes : {points[rank][1]:.1%}") for rank in marked],
        levels=[0.8, 0.95],
    )


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=3, max_size=30), st.data())
def test_what_is_written_at_a_mark_lies_on_no_curve_and_no_other_mark(
    values: list[int], data: st.DataObject
) -> None:
    first = data.draw(st.integers(1, len(values) - 2))
    second = data.draw(st.integers(first + 1, len(values) - 1))
    svg = str(draw(picture(values, [first, second])))
    labels = drawn_labels(svg)
    path = re.findall(r"([-\d.]+) ([-\d.]+)", re.findall(r'd="M([^"]+)"', svg)[0])
    circles = [(float(x), float(y)) for x, y in re.findall(r'cx="([-\d.]+)" cy="([-\d.]+)"', svg)]
    on_curve = points_between([(float(x), float(y)) for x, y in path])
    assert len(labels) == len(circles) == 2
    for left, top, right, bottom in labels:
        assert left >= 0 and right <= 400 and top >= 0
        covered = [
            point for point in (*on_curve, *circles)
            if left < point[0] < right and top < point[1] < bottom
        ]  # fmt: skip
        assert covered == []
    (left, top, right, bottom), (a, b, c, d) = labels
    assert not (left < c and a < right and top < d and b < bottom)


def month(number: int, *, top_1: float, top_5: float, top_20: float) -> dict[str, Any]:
    return {
        "month": date(2026, number, 1), "active_count": 8, "total": 1, "gini": 0.5, "hhi": 0.2,
        "effective_count": 4.2, "top_1": top_1, "top_5": top_5, "top_20": top_20, "making_80": 4,
        "major_customer_count": 1,
    }  # fmt: skip


def test_measures_that_are_one_line_are_named_together() -> None:
    months = [month(n, top_1=0.3 + n / 100, top_5=0.3 + n / 100, top_20=0.6) for n in (1, 2, 3)]
    section = concentration(months, date(2025, 1, 1), 12, FRENCH)
    chart = section.blocks[0]
    assert isinstance(chart, Chart)
    assert chart.drawing.count("<path") == 3
    assert re.findall(r'class="(line-\d)-label"[^>]*>([^<]*)<', chart.drawing) == [
        ("line-2", "Top 20\u00a0%"), ("line-4", "Gini"), ("line-1", "Top 1\u00a0%"), ("line-1", "Top 5\u00a0%"),
    ]  # fmt: skip
    assert "une seule ligne" in chart.note
    assert "est restée à 60,0" in chart.summary
    other = section.blocks[1]
    assert isinstance(other, Chart) and "est resté à 4." in other.summary


def test_measures_that_differ_in_one_month_are_lines_of_their_own() -> None:
    months = [
        month(1, top_1=0.3, top_5=0.3, top_20=0.6),
        month(2, top_1=0.3, top_5=0.4, top_20=0.7),
    ]
    chart = concentration(months, date(2024, 1, 1), 12, ENGLISH).blocks[0]
    assert isinstance(chart, Chart)
    assert chart.drawing.count("<path") == 4 and "one line" not in chart.note
    assert "went from 60.0% to 70.0%" in chart.summary


def figure(metric: str, population: str, **said: Any) -> dict[str, Any]:
    return {
        "metric": metric, "population": population, "figure": None, "account_count": 312,
        "minimum": None, "is_met": None, "as_of": date(2026, 11, 1),
        "potential_as_of": date(2025, 11, 1),
    } | said  # fmt: skip


@pytest.mark.parametrize("say", [ENGLISH, FRENCH])
def test_a_figure_that_misses_is_in_the_table(say: Said) -> None:
    rows = [
        figure("rank_correlation", "all", minimum=0.3),
        figure("covered_revenue_share", "all", figure=0.123, minimum=0.5, is_met=False),
    ]
    found = backtested(Backtest(rows, {(r["metric"], r["population"]): r for r in rows}), say)
    table = next(block for block in found.blocks if isinstance(block, Table))
    cell = table.rows[0][-1]
    assert isinstance(cell, Cell) and cell.text == say.percent(0.123)
    assert say.percent(0.5) in cell.detail
    said = [block.text for block in found.blocks if isinstance(block, Text)]
    assert say("backtest_missed", n=1) in said
    assert say("verdict_unknown") in said


def test_a_figure_that_misses_outside_the_table_says_where_it_stands() -> None:
    rows = [
        figure("rank_correlation", "all", figure=0.1, minimum=0.3, is_met=False),
        figure("lift_over_random", "basis_peers", figure=0.5, minimum=1.0, is_met=False),
    ]
    found = backtested(Backtest(rows, {(r["metric"], r["population"]): r for r in rows}), ENGLISH)
    assert isinstance(found.blocks[-1], Text)
    assert found.blocks[-1].text == (
        "2 figures miss what the company asks for. 1 of them stands in the mart potential_backtest only."
    )


def test_counts_of_one_read_as_sentences() -> None:
    said = FRENCH("owners", n=3, overloaded=FRENCH.count(1), needed="5", available="4")
    assert "dont en surcharge\u00a0: 1" in said
    assert "1 rejetées" not in FRENCH("rows_accepted_detail", n=2, rejected=FRENCH.count(1))


def test_a_check_is_said_in_french_or_marked_as_english() -> None:
    known = "Renew the override, or remove its row from tier_overrides."
    assert FRENCH.of_check("remedies", known) == (
        "Renouvelez la décision, ou retirez sa ligne de tier_overrides."
    )
    assert FRENCH.of_check("remedies", "Of a user's own check.") is None
    assert ENGLISH.of_check("remedies", "Of a user's own check.") == "Of a user's own check."
