"""Baselines, gates, suites and comparisons in a browser: from a seed group to a baseline, from a cell to the reason."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_a_seed_group_is_blessed_with_consent(quiet_page: Page, server: Server) -> None:
    """Of one seed: the box must be ticked, and the baseline says so for ever."""
    quiet_page.goto(f"/runs/{server.runs['forgot']}")
    quiet_page.get_by_role("link", name="Bless …").click()
    quiet_page.wait_for_load_state()
    expect(quiet_page.locator("#what")).to_contain_text("it is one run: an anecdote")
    quiet_page.locator("#name").fill("from-the-browser")
    expect(quiet_page.locator("#what h2")).to_contain_text("from-the-browser v1")
    quiet_page.get_by_role("button", name="Bless it").click()
    expect(quiet_page.get_by_role("alert")).to_contain_text("single_seed")
    expect(quiet_page.locator("#name")).to_have_value("from-the-browser")
    quiet_page.get_by_label("single seed").check()
    quiet_page.get_by_role("button", name="Bless it").click()
    expect(quiet_page).to_have_url(f"{server.url}/baselines/from-the-browser/1")
    expect(quiet_page.locator(".page-head .flag")).to_have_text("single seed")


def test_a_field_that_was_corrected_is_wrong_no_longer(page: Page, server: Server) -> None:
    page.goto(f"/bless?run={server.runs['solved']}")
    name = page.locator("#name")
    name.fill("no spaces please")
    expect(page.locator("#name-problem")).to_contain_text("letters, digits")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("no-spaces")
    expect(page.locator("#name-problem")).to_be_empty()
    expect(name).not_to_have_attribute("aria-invalid", "true")


def test_blessing_over_a_name_wants_to_know_why(quiet_page: Page, server: Server) -> None:
    quiet_page.goto(f"/bless?run={server.runs['solved']}")
    quiet_page.locator("#name").fill("cartpole-anecdote")
    expect(quiet_page.locator("#what")).to_contain_text("say why this one follows it")
    quiet_page.get_by_label("single seed").check()
    quiet_page.get_by_role("button", name="Bless it").click()
    expect(quiet_page.locator("#why-problem")).to_contain_text("can only be replaced with a reason")


def test_a_box_that_was_ticked_stays_ticked_while_one_types_on(page: Page, server: Server) -> None:
    page.goto(f"/bless?run={server.runs['solved']}")
    page.get_by_label("single seed").check()
    with page.expect_response("**/bless/check"):
        page.locator("#name").fill("something-else")
    expect(page.locator("#what h2")).to_contain_text("something-else")
    expect(page.get_by_label("single seed")).to_be_checked()


def test_a_baseline_is_retired_with_a_reason_and_taken_back(page: Page, server: Server) -> None:
    said = {"name": "to-be-retired", "runs": [server.runs["solved"]], "allow": ["single_seed"]}
    server.lab.post("/baselines", said)
    page.goto("/baselines")
    page.get_by_role("link", name="to-be-retired").click()
    page.get_by_text("Retire …").click()
    page.get_by_label("Why").fill("It was only a test.")
    page.get_by_role("button", name="Retire to-be-retired v1").click()
    expect(page.locator(".notice.warn")).to_contain_text("It was only a test.")
    page.goto("/baselines")
    expect(page.get_by_role("link", name="to-be-retired")).to_have_count(0)
    page.get_by_label("retired").check()
    expect(page.get_by_role("link", name="to-be-retired")).to_be_visible()
    page.get_by_role("link", name="to-be-retired").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".notice.warn")).to_have_count(0)


def test_the_curve_of_a_baseline_is_drawn_for_the_metric_one_picks(page: Page, server: Server) -> None:
    page.goto(server.lab.paths["baseline"])
    expect(page.locator("figure.band canvas")).to_be_visible()
    page.get_by_label("metric", exact=True).select_option("Loss/value_loss")
    page.wait_for_url(re.compile("key=Loss%2Fvalue_loss"))
    expect(page.locator("figure.band .title")).to_have_text("Loss/value_loss")
    expect(page.locator("figure.band canvas")).to_be_visible()


def test_a_failed_result_is_found_and_says_why(page: Page, server: Server) -> None:
    page.goto("/gates")
    page.get_by_role("link", name="Results").click()
    page.wait_for_load_state()
    page.get_by_label("Verdict").select_option("fail")
    page.wait_for_url(re.compile("verdict=fail"))
    row = page.locator("tr", has=page.locator(f'a[href="{server.lab.paths["failed"]}"]'))
    row.get_by_role("link").first.click()
    expect(page.locator(".page-head .verdict")).to_have_text("fail")
    expect(page.locator("table.checks")).to_contain_text("must be at least 400")
    expect(page.get_by_role("img", name=re.compile("accepted: at least 400"))).to_be_visible()
    expect(page.locator("figure.band canvas")).to_be_visible()
    expect(page.locator("figure.band .legend")).to_contain_text("baseline: lowest, middle and highest seed")


def test_an_undecided_result_leads_to_more_seeds(page: Page, server: Server) -> None:
    page.goto(server.lab.paths["undecided"])
    page.get_by_text("More seeds …").click()
    page.locator("input[name=n]").fill("2")
    page.get_by_role("button", name="Run them").click()
    page.wait_for_url(re.compile("seed_group="))
    expect(page.locator("tr[data-run]")).to_have_count(5)
    for row in page.locator("tr[data-run]").all()[:2]:
        run = row.get_attribute("data-run")
        server.lab.post(f"/jobs/{run}/cancel", {})


def test_a_cell_of_the_matrix_leads_to_the_reason(page: Page, server: Server) -> None:
    page.goto("/suites")
    page.locator("tr", has_text="cpu-daily").get_by_role("link", name="fail").click()
    expect(page).to_have_url(server.url + server.lab.paths["suite run 8"])
    expect(page.locator(".page-head .verdict")).to_have_text("fail")
    page.locator("table.results").get_by_role("link").first.click()
    expect(page.locator("table.checks")).to_contain_text("must be at least 400")
    page.get_by_role("link", name="smoke v1").click()
    expect(page.locator(".asks")).to_contain_text("the last of every run is at least 400")


def test_the_matrix_is_narrowed_to_a_branch(page: Page, server: Server) -> None:
    page.goto("/suites")
    page.get_by_label("Branch").select_option("faster-replay")
    page.wait_for_url("**/suites?branch=faster-replay")
    expect(page.locator(".matrix thead th")).to_have_count(3)


def test_a_suite_that_is_run_now_is_followed_and_cancelled(page: Page, server: Server) -> None:
    page.goto("/suites/cpu-daily")
    page.get_by_text("Run now …").click()
    page.get_by_label("Branch").fill("main")
    page.get_by_role("button", name="Run 2 jobs").click()
    page.wait_for_url(re.compile("/suite-runs/"))
    expect(page.locator("#connection")).to_have_text("live")
    job = page.locator("table.jobs tbody tr").first
    expect(job.locator(".state")).to_have_text("queued")
    run = str(job.get_by_role("link").get_attribute("href")).removeprefix("/runs/")
    server.lab.claim_this(run)
    expect(job.locator(".state")).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    page.locator("#ask-yes").click()
    expect(page.locator(".page-head .verdict")).to_have_text("skipped")
    server.lab.end(run, "cancelled")


def test_a_suite_is_run_with_more_seeds_by_the_keyboard_alone(page: Page, server: Server) -> None:
    page.goto("/suites/cpu-daily")
    page.get_by_text("Run now …").focus()
    page.keyboard.press("Enter")
    page.locator("#who").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_text("More seeds, or fewer jobs")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Reuse")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/suite-runs/"))
    expect(page.locator("table.jobs tbody tr")).to_have_count(4)  # in place of 2
    page.get_by_role("button", name="Cancel").click()
    page.locator("#ask-yes").click()
    expect(page.locator(".page-head .verdict")).to_have_text("skipped")


def test_runs_that_are_selected_are_compared(page: Page, server: Server) -> None:
    page.goto("/runs?experiment=gates&q=reference")
    for box in page.locator("input[name=ids]").all()[:2]:
        box.check()
    page.get_by_role("button", name="compare").click()
    page.wait_for_url(re.compile(r"/compare\?runs="))
    expect(page.locator("table.compared")).to_contain_text("cartpole v2")
    expect(page.locator("figure.band canvas").first).to_be_visible()
    page.get_by_role("link", name="Take reference away").first.click()
    expect(page.get_by_role("link", name="Take reference away")).to_have_count(1)


def test_a_second_click_does_not_run_the_seeds_twice(page: Page, server: Server) -> None:
    [run] = server.lab.submit("algo.horizon=19", experiment="live", name="clicked twice", seeds=[0])
    page.goto(f"/runs/{run}")
    page.get_by_text("More seeds …").click()
    page.locator("input[name=n]").fill("2")
    page.get_by_role("button", name="Run them").evaluate("button => { button.click(); button.click(); }")
    page.wait_for_url(re.compile("seed_group="))
    expect(page.locator("tr[data-run]")).to_have_count(3)
    for row in page.locator("tr[data-run]").all():
        server.lab.post(f"/jobs/{row.get_attribute('data-run')}/cancel", {})
