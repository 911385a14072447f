"""A real server process with a real day in it, and a real browser that looks at it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from server.assets import Assets, assets_folder
from tests.browser.story import Lab, tell

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
TOKEN = "a-token-for-browser-tests"
START_S = 30

expect.set_options(timeout=20_000)  # in ms; five seconds are too few on a machine that does other things too


@dataclass(frozen=True)
class Server:
    url: str
    login: str  # the link that works once
    lab: Lab
    runs: dict[str, str]  # by what happened to them


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Leases outlast the tests: nobody speaks for the made-up worker."""
    if missing := Assets(assets_folder()).missing:
        pytest.skip(f"the pages' own scripts are not set up ({missing[0]}); `./dreamgate` puts them in place")
    data = tmp_path_factory.mktemp("data")
    environment = {**os.environ, "DREAMGATE_TOKEN": TOKEN, "DREAMGATE_LEASE_S": "3600", "OMP_NUM_THREADS": "1"}
    environment.pop("DREAMGATE_DATABASE_URL", None)
    environment.pop("DREAMGATE_BROKER_URL", None)
    command = [sys.executable, "-m", "dreamer_core.cli.main", "serve", "--port", "0", "--data", str(data)]
    log = data / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            url, login = _address(process, log)
            transport = httpx2.HTTPTransport(retries=20)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx2.Client(base_url=url, headers=headers, timeout=START_S, transport=transport) as client:
                lab = Lab(client)
                yield Server(url, login, lab, tell(lab))
        finally:
            process.terminate()
            process.wait(20)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, str]:
    """Where it listens, and the link that opens a session."""
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    found = re.search(r"(http://[^/]+)/login\?code=\S+", line)
    assert found, f"the server said {line!r} and {log.read_text()!r}"
    return found[1], found[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: on Debian, `apt-get install chromium`")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def session_file(browser: Browser, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who has logged in by the link that the server printed."""
    path = tmp_path_factory.mktemp("session") / "state.json"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.login)
        assert page.url == f"{server.url}/runs"
        context.storage_state(path=path)
    return path


@pytest.fixture
def page(browser: Browser, server: Server, session_file: Path) -> Iterator[Page]:
    """A page at 1600 x 1000 that may not complain about anything."""
    context = browser.new_context(
        base_url=server.url, storage_state=session_file, viewport={"width": 1600, "height": 1000}
    )
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: _listen(message, complaints))
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def quiet_page(browser: Browser, server: Server, session_file: Path) -> Iterator[Page]:
    """One whose complaints do not matter: a page that is not found is told on the console too."""
    with browser.new_context(base_url=server.url, storage_state=session_file) as context:
        yield context.new_page()


@pytest.fixture
def silent_page(browser: Browser, server: Server, session_file: Path) -> Iterator[Page]:
    """Of a browser that runs no scripts."""
    with browser.new_context(base_url=server.url, storage_state=session_file, java_script_enabled=False) as context:
        yield context.new_page()


@pytest.fixture
def stranger(browser: Browser, server: Server) -> Iterator[Page]:
    """Of somebody who has not logged in."""
    with browser.new_context(base_url=server.url) as context:
        yield context.new_page()


def _listen(message: ConsoleMessage, complaints: list[str]) -> None:
    """That a test looks at the pixels of a canvas is no fault of the page."""
    if message.type in ("error", "warning") and "willReadFrequently" not in message.text:
        complaints.append(message.text)
