"""A worker from its start to its end: made from its settings, woken up by the broker, stopped by signals."""

import logging
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from dreamer_core.errors import OK
from dreamer_core.remote import Client, Unreachable
from dreamer_core.remote.worker_messages import WorkerFacts
from worker.app import Consumer
from worker.facts import cores, describe_machine, device_names, take_name
from worker.loop import Worker
from worker.places import Places
from worker.settings import Settings
from worker.signals import Signals, listening
from worker.slots import Slots
from worker.source import Source
from worker.tools import Tools

log = logging.getLogger(__name__)

_KILLED = 128 + 9
_LOOK_S = 0.2
_HEART_S = 10.0  # what a heartbeat waits for an answer; a lease is longer


def serve(settings: Settings) -> int:
    """Until a signal: the first one drains, the second one kills what still runs."""
    places = Places(settings.runs)
    name, held = take_name(places.names, settings.name)
    with held, listening() as signals:
        machine = describe_machine()
        gpus = device_names(len(machine["devices"]))
        slots = Slots(settings.slots or max(1, len(gpus)), gpus, cores())
        facts = _introduction(settings, name, machine, slots)
        worker = Worker(_tools(settings, places), facts, slots)
        _wait_for_server(worker, signals)
        if not signals.is_asked:
            _take_jobs(settings, facts, worker, signals)
        worker.say_goodbye()
    log.info("gone")
    return OK


def _wait_for_server(worker: Worker, signals: Signals) -> None:
    """With a server that is away, as long as it takes. A wrong token does not get better by waiting."""
    wait_s = 0.5
    while not signals.is_asked:
        try:
            return worker.register()
        except Unreachable as error:
            log.warning("waiting: %s", error)
        until = time.monotonic() + wait_s
        while time.monotonic() < until and not signals.is_asked:
            time.sleep(_LOOK_S)
        wait_s = min(2 * wait_s, 10.0)
    return None


def _take_jobs(settings: Settings, facts: WorkerFacts, worker: Worker, signals: Signals) -> None:
    consumer = None
    if settings.broker_url is not None:
        consumer = Consumer(settings.broker_url, facts.queues, facts.slots, worker.work)
        consumer.start()
    worker.start()
    while not signals.is_asked:
        time.sleep(_LOOK_S)
    log.info("leaving: no new jobs; running ones save their state and go back to the queue")
    worker.leave()
    while not worker.is_idle():
        time.sleep(_LOOK_S)
        if signals.is_urged:
            worker.kill()
            os._exit(_KILLED)  # threads may still wait for a server: leases run out by themselves
    if consumer is not None:
        consumer.stop()


def _tools(settings: Settings, places: Places) -> Tools:
    return Tools(
        settings=settings,
        client=Client(settings.server, settings.token, patience_s=0.0),
        heart=Client(settings.server, settings.token, timeout_s=_HEART_S, patience_s=0.0),
        places=places,
        source=Source(places.source, settings.source_repo),
    )


def _introduction(settings: Settings, name: str, machine: Mapping[str, Any], slots: Slots) -> WorkerFacts:
    return WorkerFacts(
        name=name,
        host=socket.gethostname(),
        pid=os.getpid(),
        queues=settings.queues or (("gpu", "cpu") if slots.gpus else ("cpu",)),
        slots=slots.count,
        gpus=len(slots.gpus),
        runs_commits=settings.source_repo is not None,
        facts=machine,
    )
