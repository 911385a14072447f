"""Being woken up by the broker: a Celery consumer inside the worker's process, whose one task says `look for work`.

The message is a hint. It is acknowledged before the work begins and carries nothing that is needed, so losing it costs
seconds and getting it twice costs nothing. That is why no broker's timeout can start a long job a second time.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from dreamer_core.errors import MissingExtraError, UsageError

log = logging.getLogger(__name__)

TASK = "dreamgate.work"  # the server sends it by this name
_DAYS_S = 7 * 24 * 3600
_AGAIN_S = 10.0


def make_app(broker_url: str, work: Callable[[], None]) -> Any:
    try:
        from celery import Celery
    except ModuleNotFoundError as error:
        raise MissingExtraError("DREAMGATE_BROKER_URL", extra="worker", package=error.name or "") from None

    app = Celery("dreamgate", broker=_as_celery_knows_it(broker_url), set_as_current=False)
    app.conf.update(
        task_acks_late=False,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_prefetch_count_reduction=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,  # only those acknowledged late: none of ours
        worker_hijack_root_logger=False,
        broker_connection_timeout=2,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # for as long as it is away
        broker_transport_options={"visibility_timeout": _DAYS_S, "socket_connect_timeout": 2},
    )

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def take_jobs(run_id: str) -> None:
        """See jobs through until there are none. `run_id` came into the queue; which one to take the server says."""
        work()

    return app


class Consumer:
    """Runs in a thread of its own: signals are for the worker's main thread. One in a process."""

    def __init__(self, broker_url: str, queues: Sequence[str], slots: int, work: Callable[[], None]) -> None:
        _check_transport(broker_url)
        self._app, self._queues, self._slots = make_app(broker_url, work), list(queues), slots
        self._is_leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Its tasks must be over. One that hangs on a dead broker is left to the end of the process."""
        from celery.worker import state

        self._is_leaving.set()
        state.should_stop = 0  # what Celery's own signal handler would do
        self._thread.join(timeout=5)
        state.should_stop = None

    def _run(self) -> None:
        """Celery connects again by itself; this is for what it does not foresee. The worker looks for jobs anyway."""
        while not self._is_leaving.is_set():
            try:
                self._controller().start()
            except Exception:
                log.exception("waking up by the broker failed")
            if not self._is_leaving.wait(_AGAIN_S):
                log.error("waking up by the broker ended by itself; trying again")

    def _controller(self) -> Any:
        from kombu.asynchronous import set_event_loop

        set_event_loop(None)  # one that has ended is not to be used again
        return self._app.WorkController(
            pool_cls="threads",
            concurrency=self._slots,
            queues=self._queues,
            loglevel=logging.WARNING,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
        )


def _check_transport(broker_url: str) -> None:
    known = ("redis://", "rediss://", "redis+socket://", "valkey://")
    if not broker_url.startswith(known):
        raise UsageError(f"DREAMGATE_BROKER_URL must begin with {' or '.join(known)}, got {broker_url.split(':')[0]}:")


def _as_celery_knows_it(broker_url: str) -> str:
    """Valkey speaks what Redis speaks, and Celery has only the older name for it."""
    return f"redis://{broker_url.removeprefix('valkey://')}" if broker_url.startswith("valkey://") else broker_url
