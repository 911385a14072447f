"""Draws the pictures of docs/pages.md: `python -m tests.browser.pictures`, by hand, when pages look different."""

import io
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from server import migrate
from server.app import build_app
from server.database import Database
from server.files.store import Store
from server.house import House
from server.queue import NoBroker
from server.settings import Settings
from server.suites.advance import Suites
from tests.browser.conftest import CHROMIUM, FLAGS, TOKEN
from tests.browser.story import Lab, tell

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp()


@dataclass
class TurnedClock:
    """The lab's day passes in seconds."""

    at: float = MORNING

    def __call__(self) -> float:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += seconds


def main() -> None:
    clock = TurnedClock()
    with tempfile.TemporaryDirectory() as folder, _serve(Path(folder), clock) as (url, house):
        client = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        lab = Lab(client, clock.turn, look=Suites(house).advance)
        runs = tell(lab)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            _draw(browser, url, _pages(runs, lab.paths), clock())


def _pages(runs: dict[str, str], gates: dict[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        ("runs", "/runs", ("light", "dark")),
        ("seeds", "/runs?group=seeds&experiment=horizon&metrics=eval/mean_return,eval/success_rate,sps", ("light",)),
        ("run", f"/runs/{runs['running']}", ("light", "dark")),
        ("spike", f"/runs/{runs['solved']}", ("dark",)),
        ("failed", f"/runs/{runs['broken']}", ("light",)),
        ("launch", f"/launch?clone={runs['short']}", ("light", "dark")),
        ("workers", "/workers", ("light", "dark")),
        ("log", gates["log"], ("light", "dark")),
        ("baselines", "/baselines", ("light",)),
        ("baseline", gates["diff"], ("light",)),
        ("bless", gates["bless"], ("light",)),
        ("compare", gates["compare"], ("light",)),
        ("gate-results", "/gate-results", ("light",)),
        ("gate-result", gates["failed"], ("light",)),
        ("gates", "/gates", ("light",)),
        ("gate", gates["gate"], ("light",)),
        ("suites", "/suites", ("light",)),
        ("suite", gates["speeds"], ("light",)),
        ("suite-run", gates["suite run 9"], ("dark",)),
    ]


def _draw(browser: Browser, url: str, shown: Iterable[tuple[str, str, tuple[str, ...]]], now: float) -> None:
    for name, path, schemes in shown:
        for scheme in schemes:
            with browser.new_context(
                base_url=url,
                viewport={"width": 1600, "height": 1000},
                color_scheme="dark" if scheme == "dark" else "light",
                extra_http_headers={"Authorization": f"Bearer {TOKEN}"},
            ) as context:
                _take(context.new_page(), path, now, IMAGES / f"page-{name}-{scheme}.png")


def _take(page: Page, path: str, now: float, image: Path) -> None:
    page.clock.set_fixed_time(datetime.fromtimestamp(now, UTC))
    page.goto(path)
    page.wait_for_timeout(1500)
    whole = Image.open(io.BytesIO(page.screenshot()))
    # A third of the bytes, and every colour is still there, also where it is rare.
    whole.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(image, optimize=True)


@contextmanager
def _serve(data: Path, clock: TurnedClock) -> Iterator[tuple[str, House]]:
    url = f"sqlite:///{data / 'dreamgate.db'}"
    database = Database(url)
    migrate.upgrade(database)
    settings = Settings(
        data=data, database_url=url, broker_url=None, artifacts_url=str(data / "artifacts"), token=TOKEN, timer_s=0
    )
    house = House(
        settings=settings, database=database, store=Store(settings.artifacts_url), wake_ups=NoBroker(), clock=clock
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(house), log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", house
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
