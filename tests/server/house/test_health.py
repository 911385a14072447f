"""/health answers soon and says what is wrong, also when something hangs."""

import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from dreamer_core.version import __version__
from server import health
from server.health import ASKING, Check, Checks


class FakeChecks(Checks):
    def __init__(self, *, database: str, broker: str) -> None:
        self.database = Check(lambda: database, wait_s=5)
        self.broker = Check(lambda: broker, wait_s=5)


@pytest.mark.parametrize(
    ("database", "broker", "status", "word"),
    [
        ("ok", "ok", 200, "ok"),
        ("ok", "none", 200, "ok"),
        ("ok", ASKING, 200, "ok"),
        ("ok", "does not answer", 200, "degraded"),
        ("does not answer", "ok", 503, "degraded"),
    ],
)
def test_the_server_works_without_a_broker_but_not_without_a_database(
    database: str, broker: str, status: int, word: str
) -> None:
    app = FastAPI()
    app.state.checks = FakeChecks(database=database, broker=broker)
    app.include_router(health.router)
    answer = TestClient(app).get("/health")
    assert answer.status_code == status
    assert answer.json() == {"status": word, "version": __version__, "database": database, "broker": broker}


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Something hangs until this is set."""
    event = threading.Event()
    yield event
    event.set()


def hang(held: threading.Event) -> str:
    held.wait(60)
    return "ok"


def test_what_hangs_is_said_to(held: threading.Event) -> None:
    check = Check(lambda: hang(held), wait_s=0.01, late="does not answer")
    assert check.look() == "does not answer"


def test_what_hangs_is_asked_once_not_again_by_every_request(held: threading.Event) -> None:
    asked = []

    def ask() -> str:
        asked.append(1)
        return hang(held)

    check = Check(ask, wait_s=0.01, late="late")
    assert [check.look() for _ in range(3)] == ["late"] * 3
    assert len(asked) == 1


def test_an_answer_is_kept_for_a_while() -> None:
    answers = iter(["ok", "later"])
    check = Check(lambda: next(answers), wait_s=5, kept_s=60)
    assert [check.look(), check.look()] == ["ok", "ok"]


def test_a_slow_answer_does_not_hold_up_who_is_content_with_the_last_one(held: threading.Event) -> None:
    assert Check(lambda: hang(held), wait_s=0.01).look() == ASKING


class AwayDatabase:
    def ping(self) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))


class HouseOfCards:
    database = AwayDatabase()


def test_the_reason_is_for_the_log_and_not_for_everybody(caplog: pytest.LogCaptureFixture) -> None:
    assert health._ask_database(HouseOfCards()) == "does not answer"  # type: ignore[arg-type]
    assert "connection refused" in caplog.text
