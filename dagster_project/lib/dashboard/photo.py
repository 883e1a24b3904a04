"""Opens the dashboard in a headless Chromium, says which charts did not draw, and takes a picture.

Run by the Python that has Playwright, which is Superset's: `python photo.py URL USER PNG < password`. Prints one
line per chart that failed; exit code 1 where one did.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

CHROMIUM = "/usr/bin/chromium"
CHART = "[data-test='chart-container'], .chart-container"
WAITED = 240_000  # milliseconds: the first load of a chart compiles nothing, but reads megabytes of script
WIDTH = 1440


def take(url: str, user: str, password: str, png: Path) -> list[str]:
    """What failed, one line each; the picture is taken either way."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
        page.set_default_timeout(WAITED)
        failed: list[str] = []
        page.on("response", lambda response: _note(response, failed))
        page.goto(f"{url}/login/")
        page.fill("input[name='username'], #username", user)
        page.fill("input[name='password'], #password", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda now: "/login" not in now)
        page.goto(f"{url}/superset/dashboard/account-tiering/?standalone=0")
        page.wait_for_selector(".dashboard-component-chart-holder")
        _draw_all(page, failed)
        page.screenshot(path=str(png), full_page=True)
        browser.close()
    return failed


def _note(response: Any, failed: list[str]) -> None:
    if "/api/v1/chart/data" in response.url and response.status >= 400:
        failed.append(f"{response.url}: {response.status} {response.text()[:300]}")


def _draw_all(page: Any, failed: list[str]) -> None:
    """Charts load when they come into view: the window is made as tall as the page."""
    holders = page.locator(".dashboard-component-chart-holder")
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight))"
    )
    page.set_viewport_size({"width": WIDTH, "height": min(int(height) + 100, 8_000)})
    page.wait_for_timeout(2_000)
    page.wait_for_function(
        "() => !document.querySelector('[data-test=\"loading-indicator\"], .loading')"
    )
    page.wait_for_timeout(3_000)
    for number in range(holders.count()):
        holder = holders.nth(number)
        words = " ".join(holder.inner_text().split())
        drawn = holder.locator("canvas, table, .superset-legacy-chart-big-number").count()
        wrong = holder.locator(
            ".ant-alert-error, [data-test='alert-error'], [role='alert']"
        ).count()
        if wrong or not drawn or "No results" in words:
            failed.append(f"chart {number + 1}: {words[:200]}")


if __name__ == "__main__":
    found = take(sys.argv[1], sys.argv[2], sys.stdin.read().strip(), Path(sys.argv[3]))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.exit(1 if found else 0)
