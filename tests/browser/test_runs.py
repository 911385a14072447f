"""The list of runs in a browser: it filters, follows the server, and is worked by keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.curves import Plot

pytestmark = pytest.mark.browser


def test_a_filter_narrows_the_list_and_stays_in_the_address(page: Page, server: Server) -> None:
    page.goto("/runs")
    page.get_by_label("Experiment", exact=True).select_option("exploration")
    page.wait_for_url("**/runs?experiment=exploration")
    expect(page.locator("tr[data-run]")).to_have_count(3)
    page.get_by_label("Search").fill("high entropy")
    page.wait_for_url(re.compile("q=high"))
    expect(page.locator("tr[data-run]")).to_have_count(1)
    page.go_back()
    expect(page.locator("tr[data-run]")).to_have_count(3)


def test_a_click_on_a_column_sorts(page: Page, server: Server) -> None:
    page.goto("/runs?experiment=horizon&state=succeeded")
    page.get_by_role("link", name="eval/mean_return").click()
    page.wait_for_url(re.compile("sort=-metric"))
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("eval/mean_return")
    shown = [float(text) for text in page.locator("td.metric").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == 6


def test_thirty_rows_fit_on_a_screen(page: Page, server: Server) -> None:
    page.goto("/runs")
    heights = page.locator("tr[data-run]").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    top = page.locator("tr[data-run]").first.evaluate("row => row.getBoundingClientRect().top")
    assert max(heights) == min(heights)
    assert top + 30 * heights[0] <= 1000


def test_a_row_follows_its_run(page: Page, server: Server) -> None:
    [run] = server.lab.submit(experiment="live", name="followed")
    page.goto("/runs?experiment=live")
    row = page.locator(f"#run-{run}")
    expect(row.locator(".state")).to_have_text("queued")
    expect(page.locator("#connection")).to_have_text("live")
    server.lab.claim_this(run)
    expect(row.locator(".state")).to_have_text("running")
    server.lab.train(run, Plot(), until=10_000)
    expect(row).to_contain_text("25 %", timeout=15_000)
    server.lab.end(run, "succeeded")
    expect(row.locator(".state")).to_have_text("succeeded")


def test_a_new_run_is_told_of_and_does_not_push_the_others(page: Page, server: Server) -> None:
    page.goto("/runs?experiment=horizon")
    expect(page.locator("#connection")).to_have_text("live")
    before = page.locator("tr[data-run]").count()
    server.lab.submit(experiment="horizon", name="just now", queue="gpu")
    page.get_by_role("button", name="1 new run: show").click()
    expect(page.locator("tr[data-run]")).to_have_count(before + 1)


def test_runs_are_chosen_and_cancelled_together(page: Page, server: Server) -> None:
    runs = server.lab.submit(experiment="many", name="one of many", seeds=[0, 1, 2], queue="gpu")
    page.goto("/runs?experiment=many")
    page.get_by_label("Select every run shown").check()
    expect(page.locator("#selected")).to_have_text("3")
    page.get_by_role("button", name="cancel").click()
    page.get_by_role("button", name="Cancel them").click()
    for run in runs:
        expect(page.locator(f"#run-{run} .state")).to_have_text("cancelled")


def test_the_list_is_worked_by_keys(page: Page, server: Server) -> None:
    page.goto("/runs?experiment=horizon&state=succeeded")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#selected")).to_have_text("1")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.press("Escape")
    second = page.locator("tr[data-run]").nth(1).get_attribute("data-run")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{second}")


def test_seed_groups_show_their_spread(page: Page, server: Server) -> None:
    page.goto("/runs?experiment=horizon&group=seeds&state=succeeded")
    groups = page.locator("tr.group")
    expect(groups).to_have_count(2)
    expect(groups.first).to_contain_text("n=3")
    expect(groups.first).to_contain_text("…")
