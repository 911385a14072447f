"""From a click to a curve: a form is submitted, a real worker trains, and the page shows it learn, all by itself."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TOKEN, Server
from tests.browser.test_run import chart, ink

pytestmark = pytest.mark.browser

TRAINED_MS = 120_000


@pytest.fixture
def worker(server: Server, tmp_path: Path) -> Iterator[None]:
    """Of a queue of its own: what waits elsewhere is not for it."""
    pytest.importorskip("gymnasium", reason="a worker trains only where the extra `train` is installed")
    command = [sys.executable, "-m", "dreamer_core.cli.main", "worker", "--queues", "real", "--name", "real"]
    environment = {**os.environ, "DREAMGATE_SERVER": server.url, "DREAMGATE_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}
    environment.pop("DREAMGATE_BROKER_URL", None)
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--runs", str(tmp_path / "runs")], env=environment, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def test_from_a_click_to_a_curve(page: Page, server: Server, worker: None) -> None:
    page.goto("/launch")
    page.get_by_label("Overlay").select_option("debug")
    page.get_by_label("Overrides").fill("steps=1500\nrun.log_every=50\neval.every=500")
    page.get_by_label("Queue").fill("real")
    expect(page.locator("#check")).to_contain_text("1,500")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile("/runs/"))
    state = page.locator("#run-header .state").first
    expect(state).to_have_text("running", timeout=30_000)
    expect(page.locator("#log")).not_to_be_empty(timeout=TRAINED_MS)
    expect(state).to_have_text("succeeded", timeout=TRAINED_MS)
    expect(page.locator("#run-header")).to_contain_text("100 %")
    assert ink(chart(page, "eval/mean_return")) > 20
    assert ink(chart(page, "Rewards/rew_avg")) > 20
    page.reload()
    expect(page.locator("#attempts")).to_contain_text("real")
    expect(page.locator("#events")).to_contain_text("succeeded")
