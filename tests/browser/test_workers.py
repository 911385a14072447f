"""Workers and queues in a browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_the_page_follows_what_is_queued_and_taken(page: Page, server: Server) -> None:
    server.lab.beat()
    page.goto("/workers")
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#house")).to_contain_text("box-1")
    [run] = server.lab.submit(experiment="live", name="seen by all")
    waiting = page.locator("section", has_text="In the queue").locator(f'a[href="/runs/{run}"]')
    expect(waiting).to_be_visible()
    server.lab.claim_this(run)
    running = page.locator("section", has_text="Running").locator(f'a[href="/runs/{run}"]')
    expect(running).to_be_visible()
    server.lab.end(run, "succeeded")
    expect(running).to_be_hidden()


def test_a_job_is_cancelled_from_the_queue(page: Page, server: Server) -> None:
    [run] = server.lab.submit(experiment="live", name="in the way", queue="nobody")
    page.goto("/workers")
    page.get_by_role("button", name="Cancel in the way").click()
    page.locator("#ask-yes").click()
    expect(page.locator(f'a[href="/runs/{run}"]')).to_be_hidden()
