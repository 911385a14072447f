"""Waking workers up through the broker. The message is a hint; what there is to do is asked of the server."""

import logging
from typing import Any, Protocol

TASK = "dreamgate.work"  # the worker's task, known here by its name alone

log = logging.getLogger(__name__)


class WakeUps(Protocol):
    def send(self, queue: str, run_id: str) -> bool:
        """Whether the broker took it. A lost message costs seconds: the timer sends again while jobs wait."""

    def ping(self) -> str | None:
        """What is wrong with the broker, in a sentence; None if nothing is."""


class NoBroker:
    """Nobody is woken up; workers look by themselves."""

    def send(self, queue: str, run_id: str) -> bool:
        return False

    def ping(self) -> str | None:
        return None


class CeleryWakeUps:
    def __init__(self, url: str) -> None:
        self.url = url
        self._app: Any = None

    def send(self, queue: str, run_id: str) -> bool:
        from kombu.exceptions import OperationalError

        try:
            self._celery().send_task(TASK, [run_id], queue=queue, retry=False, ignore_result=True)
        except (OperationalError, OSError) as error:
            log.warning("the broker took no message for queue %s: %s", queue, error)
            return False
        return True

    def ping(self) -> str | None:
        from kombu.exceptions import OperationalError

        try:
            with self._celery().connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except (OperationalError, OSError) as error:
            return f"the broker does not answer: {error}"
        return None

    def _celery(self) -> Any:
        if self._app is None:  # at the first message, not at the start: Celery is slow to import
            from celery import Celery

            self._app = Celery("dreamgate", broker=self.url)
            self._app.conf.update(
                broker_connection_timeout=2,
                broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 5},
                task_serializer="json",
            )
        return self._app
