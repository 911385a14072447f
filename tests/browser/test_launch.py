"""The launch form in a browser: checked while it is typed, completed, and submitted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_a_form_that_is_filled_in_becomes_runs(page: Page, server: Server) -> None:
    page.goto("/launch")
    page.get_by_label("Preset", exact=True).select_option("cartpole")
    page.get_by_label("Overlay").select_option("debug")
    page.get_by_label("Experiment").fill("by hand")
    page.get_by_label("Seeds").fill("0-2")
    page.get_by_label("Queue").fill("nobody")
    page.get_by_label("Hypothesis").fill("Nothing happens.")
    expect(page.locator("#check")).to_contain_text("3 runs of cartpole+debug")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile("/runs.seed_group="))
    expect(page.locator("tr[data-run]")).to_have_count(3)
    expect(page.locator("tr[data-run] .state").first).to_have_text("queued")
    page.locator("tr[data-run] .name a").first.click()
    expect(page.locator("#run-header")).to_contain_text("No live worker serves the queue 'nobody'.")
    expect(page.get_by_label("Hypothesis")).to_have_value("Nothing happens.")


def test_a_mistake_is_told_at_its_field_while_one_types(page: Page, server: Server) -> None:
    page.goto("/launch")
    page.get_by_label("Overrides").fill("algo.horizn=10")
    expect(page.locator("#words-problem")).to_contain_text("algo.horizon")
    expect(page.locator("#check")).to_contain_text("Not yet launchable")
    page.get_by_label("Overrides").fill("algo.horizon=10")
    expect(page.locator("#words-problem")).to_be_empty()
    expect(page.locator("#check")).to_contain_text("1 setting differs from cartpole")
    page.get_by_label("Seeds").fill("many")
    expect(page.locator("#seeds-problem")).to_contain_text("Seeds are whole numbers")


def test_keys_are_completed(page: Page, server: Server) -> None:
    page.goto("/launch")
    words = page.get_by_label("Overrides")
    words.press_sequentially("horiz")
    expect(page.locator("#completions [role=option]").first).to_contain_text("algo.horizon")
    words.press("Enter")
    expect(words).to_have_value("algo.horizon=")
    words.press_sequentially("10\nent_c")
    words.press("Tab")
    expect(words).to_have_value("algo.horizon=10\nactor.ent_coef=")
    words.press_sequentially("x\nreplay")
    expect(page.locator("#completions")).to_be_visible()
    words.press("Escape")
    expect(page.locator("#completions")).to_be_hidden()


def test_a_setting_is_found_and_taken_from_the_table(page: Page, server: Server) -> None:
    page.goto("/launch")
    expect(page.locator("#default-head")).to_have_text("in cartpole")
    page.get_by_label("Search the settings").fill("total_steps")
    rows = page.locator("table.keys tbody tr:visible")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("4000")
    rows.first.get_by_role("button").click()
    expect(page.get_by_label("Overrides")).to_have_value("algo.total_steps=4000")
    page.keyboard.type("9000")
    expect(page.get_by_label("Overrides")).to_have_value("algo.total_steps=9000")
    expect(page.locator("#check")).to_contain_text("9,000")


def test_validate_counts_parameters_or_says_why_not(page: Page, server: Server) -> None:
    page.goto("/launch")
    page.get_by_label("Overlay").select_option("debug")
    expect(page.locator("#check")).to_contain_text("cartpole+debug")
    page.get_by_role("button", name="Validate").click()
    said = page.locator("#check dt", has_text=re.compile("parameters|estimate"))
    expect(said.first).to_be_visible(timeout=60_000)


def test_a_run_is_cloned_with_a_change(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['short']}")
    page.get_by_role("link", name="Clone").click()
    expect(page.get_by_label("Overrides")).to_have_value("algo.total_steps=40000\nalgo.horizon=10")
    page.get_by_label("Overrides").fill("algo.horizon=5")
    page.get_by_label("Queue").fill("nobody")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.locator("#run-header")).to_contain_text(server.runs["short"])
