"""Every page, light and dark, wide and narrow: nothing that keeps somebody out, and nothing that runs over the edge."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TOKEN, Server

pytestmark = pytest.mark.browser

PAGES = [
    "/runs",
    "/runs?group=seeds",
    "/runs?q=nothing-has-this",
    "/launch",
    "/workers",
    "/api",
    "/nowhere",
    "solved",
    "broken",
    "/baselines",
    "/baselines?retired=true",
    "diff",
    "bless",
    "/gates",
    "gate",
    "/gate-results",
    "failed",
    "undecided",
    "judged run",
    "/suites",
    "suite",
    "suite run 8",
    "suite run 9",
    "compare",
]


def path_of(name: str, server: Server) -> str:
    return f"/runs/{server.runs[name]}" if name in server.runs else server.lab.paths.get(name, name)


def axe(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds against WCAG 2.2 AA."""
    pytest.importorskip("axe_playwright_python", reason="axe-core comes with the dev package axe-playwright-python")
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = page.evaluate("tags => axe.run({runOnly: tags})", tags)
    return [{"rule": each["id"], "where": [node["html"] for node in each["nodes"][:3]]} for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(quiet_page: Page, server: Server, name: str, scheme: str) -> None:
    quiet_page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    quiet_page.goto(path_of(name, server))
    assert axe(quiet_page) == []


@pytest.mark.parametrize("width", [1600, 1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_over_the_edge(quiet_page: Page, server: Server, name: str, width: int) -> None:
    """A wide table scrolls by itself; the page does not."""
    quiet_page.set_viewport_size({"width": width, "height": 900})
    quiet_page.goto(path_of(name, server))
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert quiet_page.evaluate(over) <= 0


def test_the_login_form_leads_back_to_where_one_wanted_to_go(stranger: Page, server: Server) -> None:
    stranger.goto("/workers")
    assert axe(stranger) == []
    stranger.get_by_label("Token").fill(TOKEN)
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger).to_have_url(f"{server.url}/workers")


def test_a_run_can_be_read_without_scripts(silent_page: Page, server: Server) -> None:
    silent_page.goto(f"/runs/{server.runs['solved']}")
    expect(silent_page.locator("figure").first).to_contain_text(re.compile(r"eval/mean_return.*\d", re.DOTALL))
    expect(silent_page.locator("table.settings")).to_contain_text("algo.horizon")
    silent_page.goto("/runs")
    silent_page.get_by_label("Search").fill("high entropy")
    silent_page.get_by_role("button", name="Filter").click()
    expect(silent_page.locator("tr[data-run]")).to_have_count(1)


def test_own_and_foreign_scripts_of_a_page_weigh_less_than_250_kb(server: Server) -> None:
    own = sum(path.stat().st_size for path in Path("server/static/js").glob("*.js"))
    names = ("htmx-2.min.js", "uPlot.iife.js")
    foreign = sum(len(server.lab.client.get(f"/static/vendor/{name}").content) for name in names)
    assert own + foreign < 250_000
