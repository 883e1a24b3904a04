"""`report.html` as people meet it: drawn, silent, offline, by keyboard, readable by all, on paper and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import pypdfium2
import pytest
from playwright.sync_api import Browser, Page

from tests.pipeline.report_variants import VARIANTS

Reports = dict[str, Path]
ALL = ["demo", *VARIANTS]
A4_POINTS = (595, 842)
PHONE, WIDE = 390, 1440
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def opened(
    chromium: Browser, report: Path, *, part: str = "", width: int = WIDE, **options: Any
) -> Iterator[Page]:
    """A page that must say nothing on the console and ask nothing of a network."""
    options = {"locale": "en-GB"} | options
    context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith("file:") else said.append(request.url),
    )
    page.goto(report.as_uri() + part)
    yield page
    context.close()
    assert said == []


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_nothing_scrolls_sideways_and_every_chart_is_drawn(
    chromium: Browser, reports: Reports, name: str, width: int
) -> None:
    for part in ("#en", "#fr"):
        with opened(chromium, reports[name], part=part, width=width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            drawings = page.locator(f"{part} svg.drawing")
            for index in range(drawings.count()):
                box = drawings.nth(index).bounding_box()
                assert box is not None and box["width"] > 250 and box["height"] > 150
                curve = drawings.nth(index).locator("path").first.bounding_box()
                assert curve is not None and curve["width"] > 100
            if name == "demo":
                assert drawings.count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "part"), [("demo", "#en"), ("demo", "#fr"), ("five", "#en"), ("empty", "#fr")]
)
def test_axe_finds_no_violation(
    chromium: Browser, reports: Reports, name: str, part: str, scheme: str
) -> None:
    with opened(chromium, reports[name], part=part, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        axe = Path(str(axe_playwright_python.__file__)).with_name("axe.min.js")
        # by the debugger: the page's own policy lets no script in
        page.evaluate(axe.read_text(encoding="utf-8"))
        found = page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        assert found["passes"], "axe ran no rule"
        told = [
            (one["id"], [node["target"] for node in one["nodes"]][:3])
            for one in found["violations"]
        ]
        assert told == []
        contrast = [one for one in found["passes"] if one["id"] == "color-contrast"]
        assert contrast and len(contrast[0]["nodes"]) > 20


def test_the_keyboard_reaches_language_sections_and_tables(
    chromium: Browser, reports: Reports
) -> None:
    with opened(chromium, reports["demo"]) as page:
        page.keyboard.press("Tab")
        focused = "document.activeElement"
        assert page.evaluate(f"{focused}.className") == "skip"
        assert page.evaluate(f"{focused}.getBoundingClientRect().left") >= 0
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate(f"{focused}.textContent") == "Français"
        assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.locator("#fr h1").is_visible() and not page.locator("#en h1").is_visible()
        assert page.evaluate("document.documentElement.lang") == "fr"
        assert page.title() == "Classes de comptes au 1er novembre 2026"
        summary = page.locator("#fr summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("#fr details[open] table").first.is_visible()
        # a heading of the contents stays in the language
        page.locator("#fr .contents a").nth(3).focus()
        page.keyboard.press("Enter")
        assert page.url.endswith("#fr-moves") and page.locator("#fr h1").is_visible()


def test_the_reader_s_language_comes_first_and_a_link_is_stronger(
    chromium: Browser, reports: Reports
) -> None:
    for locale, part, shown in (
        ("fr-CA", "", "fr"), ("de-DE", "", "en"), ("fr-FR", "#en", "en"), ("en-US", "#fr", "fr"),
    ):  # fmt: skip
        with opened(chromium, reports["demo"], part=part, locale=locale) as page:
            assert page.locator(f"#{shown} h1").is_visible(), (locale, part)
            assert page.locator("h1:visible").count() == 1


def test_without_script_the_languages_still_switch(chromium: Browser, reports: Reports) -> None:
    with opened(chromium, reports["demo"], java_script_enabled=False) as page:
        assert page.locator("#en h1").is_visible()
        page.get_by_role("link", name="Français").click()
        assert page.locator("#fr h1").is_visible() and not page.locator("#en h1").is_visible()


def test_a_screen_reader_hears_tables_and_figures(chromium: Browser, reports: Reports) -> None:
    for width in (PHONE, WIDE):
        with opened(chromium, reports["demo"], width=width) as page:
            table = page.get_by_role("table", name="Tiers in figures, amounts in EUR")
            assert table.get_by_role("columnheader", name="Revenue").count() == 1
            assert table.get_by_role("rowheader").all_inner_texts() == ["A", "B", "C"]
            figure = page.get_by_role("figure", name="Pareto curve: revenue")
            assert "197 of 954 accounts make tier A" in (figure.text_content() or "")
            assert page.get_by_role("navigation", name="Contents").count() == 1


@pytest.mark.parametrize("part", ["#en", "#fr"])
def test_it_prints_on_a4_with_nothing_cut(
    chromium: Browser, reports: Reports, part: str, tmp_path: Path
) -> None:
    with opened(chromium, reports["demo"], part=part, color_scheme="dark") as page:
        printed = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 690, "height": 1000})  # what A4 leaves inside its margins
        assert page.evaluate("document.documentElement.scrollWidth") <= 690
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
    document = pypdfium2.PdfDocument(printed)
    assert 4 <= len(document) <= 12
    text = ""
    for leaf in document:
        assert tuple(round(length) for length in leaf.get_size()) == A4_POINTS
        text += " ".join(leaf.get_textpage().get_text_range().split()) + " "
    expected = ("At a glance", "Hargreaves Plastics") if part == "#en" else ("En un coup d", "Götz")
    for words in (*expected, "Release" if part == "#en" else "Version"):
        assert words in text
    other = "En un coup d" if part == "#en" else "At a glance"
    assert other not in text
