"""The log of an experiment in a browser: read, written into, exported."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_access import axe

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1600, 400])
@pytest.mark.parametrize("name", ["/experiments", "log"])
def test_it_keeps_nobody_out(quiet_page: Page, server: Server, name: str, width: int, scheme: str) -> None:
    """And nothing runs over the edge: a wide table scrolls by itself."""
    quiet_page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    quiet_page.set_viewport_size({"width": width, "height": 900})
    quiet_page.goto(server.lab.paths.get(name, name))
    for fold in quiet_page.locator("details").all():
        fold.evaluate("fold => { fold.open = true }")
    assert axe(quiet_page) == []
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert quiet_page.evaluate(over) <= 0


def test_it_is_found_from_the_list_and_from_a_run(page: Page, server: Server) -> None:
    page.goto("/experiments")
    page.get_by_role("link", name="horizon", exact=True).click()
    expect(page.locator("h1")).to_have_text("horizon")
    expect(page.get_by_role("heading", name="horizon 15")).to_be_visible()
    page.goto(f"/runs/{server.runs['solved']}")
    page.locator("#run-header").get_by_role("link", name="horizon", exact=True).click()
    expect(page.get_by_label("Question")).to_have_value("Does a shorter dream learn faster?")


def test_a_conclusion_is_written_where_it_is_read(page: Page, server: Server) -> None:
    page.goto(server.lab.paths["log"])
    group = page.locator("section.group", has=page.get_by_role("heading", name="horizon 10")).first
    group.get_by_label("Conclusion").fill("Slower, and no better.")
    group.get_by_role("button", name="Save").click()
    expect(group.locator("form.written [data-saved]")).to_have_text("saved")
    page.reload()
    expect(group.get_by_label("Conclusion")).to_have_value("Slower, and no better.")
    expect(page.get_by_role("region", name="All seed groups")).to_contain_text("Slower, and no better.")


def test_the_question_is_changed_where_it_stands(page: Page, server: Server) -> None:
    path = f"/experiments/{server.lab.post('/experiments', {'name': 'asked', 'question': 'Why?'})['id']}"
    page.goto(path)
    page.get_by_label("Question").fill("Why not?")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-saved]")).to_have_text("saved")
    assert server.lab.get(path)["question"] == "Why not?"


def test_an_annotation_appears_with_its_run(page: Page, server: Server) -> None:
    page.goto(server.lab.paths["log"])
    group = page.locator("section.group", has=page.get_by_role("heading", name="horizon 10")).first
    group.get_by_text("Annotate", exact=True).click()
    group.get_by_label("Annotation").fill("Seed 1 was <slow>.")
    group.locator("select").select_option(index=1)
    group.get_by_role("button", name="Add").click()
    expect(group.get_by_text("Seed 1 was <slow>.")).to_be_visible()


def test_what_waits_is_written_on_its_runs_page_for_all_seeds(page: Page, server: Server) -> None:
    runs = server.lab.submit("algo.horizon=5", experiment="written", name="horizon 5", seeds=[0, 1], queue="nobody")
    page.goto(f"/runs/{runs[0]}#about")
    page.get_by_label("Hypothesis").fill("Five is enough.")
    page.get_by_label("Stop rule").fill("4,000 steps")
    page.get_by_label("for all 2 runs").check()
    page.locator("#about").get_by_role("button", name="Save").click()
    expect(page.locator("#about [data-saved]")).to_have_text("saved")
    other = server.lab.get(f"/runs/{runs[1]}")
    assert (other["hypothesis"], other["stop_rule"]) == ("Five is enough.", "4,000 steps")


def test_the_document_is_downloaded(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(server.lab.paths["log"])
    with page.expect_download() as started:
        page.get_by_role("link", name="Export Markdown").click()
    assert started.value.suggested_filename == "horizon-log.md"
    started.value.save_as(tmp_path / "log.md")
    assert (tmp_path / "log.md").read_text().startswith("# horizon\n")
