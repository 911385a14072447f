"""The thread that carries verdicts to webhooks: signed, tried again with growing pauses, given up after a day.

Not the timer: an address that does not answer would keep leases waiting.
"""

import hashlib
import hmac
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from dreamer_core.metrics.jsonsafe import dumps
from dreamer_core.version import __version__
from server.suites import webhooks
from server.tables import Delivery, SuiteRun, Webhook

if TYPE_CHECKING:
    import httpx2

    from server.house import House

PAUSES_S = (10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 16 * 3600.0)  # after the first try, the second ...
_TIMEOUT_S = 10.0
_IN_HAND_S = 60.0  # while one server tries, no other does
_EVERY_S = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Letter:
    delivery_id: str
    url: str
    body: bytes
    signature: str
    tries: int


class Courier:
    def __init__(self, house: "House") -> None:
        self._house = house
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """As the timer: `timer_s` of 0 in the settings leaves it to another server."""
        if self._house.settings.timer_s > 0:
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_TIMEOUT_S + 1)

    def send_due(self) -> int:
        """One try for everything that is due. Returns how many were tried."""
        tried, letter = 0, self._take_next()
        if letter is None:
            return tried
        import httpx2  # most servers have no webhook, and need none of it

        with httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            while letter is not None:
                self._note(letter, *_send(client, letter))
                tried += 1
                letter = None if self._stopped.is_set() else self._take_next()
        return tried

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            try:
                self.send_due()
            except Exception:
                log.exception("webhooks could not be looked at")

    def _take_next(self) -> _Letter | None:
        """One at a time: of many that were taken at once, the last would come due for another server meanwhile."""
        now = self._house.clock()
        with self._house.database.reading() as session:
            due = select(Delivery.id).where(col(Delivery.due_at) <= now).order_by(col(Delivery.due_at)).limit(1)
            found = session.exec(due).first()
        if found is None:
            return None
        with self._house.database.writing() as session:
            mine = update(Delivery).where(col(Delivery.id) == found, col(Delivery.due_at) <= now)
            taken = session.connection().execute(mine.values(due_at=now + _IN_HAND_S).returning(col(Delivery.id)))
            if taken.first() is None:
                return None  # another server was faster
            whole = select(Delivery, Webhook, SuiteRun).join(Webhook, col(Webhook.id) == Delivery.webhook_id)
            whole = whole.join(SuiteRun, col(SuiteRun.id) == Delivery.suite_run_id)
            return _letter(*session.exec(whole.where(col(Delivery.id) == found)).one())

    def _note(self, letter: _Letter, is_taken: bool, answer: str) -> None:
        now, tries = self._house.clock(), letter.tries + 1
        again = None if is_taken or tries > len(PAUSES_S) else now + PAUSES_S[tries - 1]
        with self._house.database.writing() as session:
            mine = update(Delivery).where(col(Delivery.id) == letter.delivery_id)
            session.connection().execute(mine.values(tries=tries, answer=answer[:200], due_at=again))


def sign(secret: str, body: bytes) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _letter(delivery: Delivery, webhook: Webhook, run: SuiteRun) -> _Letter:
    body = dumps(webhooks.message(run)).encode()
    return _Letter(delivery.id, webhook.url, body, sign(webhook.secret, body), delivery.tries)


def _send(client: "httpx2.Client", letter: _Letter) -> tuple[bool, str]:
    import httpx2

    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"dreamgate/{__version__}",
        "X-Dreamgate-Delivery": letter.delivery_id,  # the same for every try
        "X-Dreamgate-Signature": letter.signature,
    }
    try:
        # What it says beyond that is not read: it may be without end.
        with client.stream("POST", letter.url, content=letter.body, headers=headers) as answer:
            return answer.is_success, f"{answer.status_code} {answer.reason_phrase}"
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return False, f"{type(error).__name__}: {error}"
