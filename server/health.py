"""GET /health: is the server there, and what of its surroundings is. Answers soon, also when they do not."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from dreamer_core.version import __version__
from server.house import House

DATABASE_WAIT_S, BROKER_WAIT_S, BROKER_KEPT_S = 2.0, 0.1, 5.0
ASKING = "asking"

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


class HealthOut(BaseModel):
    status: Literal["ok", "degraded"]
    version: str = Field(examples=["0.1.0"])
    database: str = Field(description="`ok`, or what is wrong", examples=["ok"])
    broker: str = Field(
        description="`ok`, `none` where workers only look by themselves, `asking` at first, or what is wrong",
        examples=["none"],
    )


class Check:
    """Asks in a thread of its own, and waits only so long. `late` is said when there is no answer by then, or else the
    last one is."""

    def __init__(self, ask: Callable[[], str], *, wait_s: float, kept_s: float = 0.0, late: str | None = None) -> None:
        self._ask, self._wait_s, self._kept_s, self._late = ask, wait_s, kept_s, late
        self._lock, self._done = threading.Lock(), threading.Event()
        self._done.set()
        self._asked_at = float("-inf")
        self._answer = ASKING

    def look(self) -> str:
        with self._lock:
            if self._done.is_set() and time.monotonic() - self._asked_at >= self._kept_s:
                self._done.clear()
                self._asked_at = time.monotonic()
                threading.Thread(target=self._run, name="health", daemon=True).start()
        if not self._done.wait(self._wait_s) and self._late:
            return self._late
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        finally:
            self._done.set()


class Checks:
    def __init__(self, house: House) -> None:
        late = f"does not answer within {DATABASE_WAIT_S:g} s"
        self.database = Check(lambda: _ask_database(house), wait_s=DATABASE_WAIT_S, late=late)
        self.broker = Check(lambda: _ask_broker(house), wait_s=BROKER_WAIT_S, kept_s=BROKER_KEPT_S)


def install(app: FastAPI, house: House) -> None:
    app.state.checks = Checks(house)
    app.include_router(router)


def _checks(request: Request) -> Checks:
    return cast("Checks", request.app.state.checks)


@router.get("/health", responses={503: {"model": HealthOut, "description": "The database is away."}})
def show_health(checks: Annotated[Checks, Depends(_checks)], response: Response) -> HealthOut:
    """Whether the server works. Without a broker it still does, only slower to start jobs; without a database not."""
    database, broker = checks.database.look(), checks.broker.look()
    if database != "ok":
        response.status_code = 503
    good = database == "ok" and broker in ("ok", "none", ASKING)
    return HealthOut(status="ok" if good else "degraded", version=__version__, database=database, broker=broker)


def _ask_database(house: House) -> str:
    try:
        house.database.ping()
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", error)
        return "does not answer"
    return "ok"


def _ask_broker(house: House) -> str:
    if house.settings.broker_url is None:
        return "none"
    problem = house.wake_ups.ping()
    if problem:
        log.warning("%s", problem)
    return "does not answer" if problem else "ok"  # the details are not for everybody
