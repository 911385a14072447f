"""One job, from its claim to its end."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dreamer_core.errors import DreamgateError, UsageError
from dreamer_core.remote.errors import Unreachable
from dreamer_core.remote.worker_messages import Claim, Ending
from dreamer_core.runs import manifest
from dreamer_core.runs.atomic import write_json
from worker import command, inputs, starting_point
from worker.delivery import deliver
from worker.early_outputs import EarlyOutputs
from worker.ending import Exit, asked_to_stop, could_not_begin, died_too_often, judge
from worker.heartbeat import Heartbeat
from worker.outputs import Outputs
from worker.process import Watch
from worker.shipping import Shipper
from worker.slots import Seat
from worker.starting_point import StartingPoint
from worker.stopping import StopOrder
from worker.tools import Tools

T = TypeVar("T")

log = logging.getLogger(__name__)

REVIVALS = 3  # times that a child which somebody killed is started again, from its checkpoint
_AWAY_S = 2.0  # between two questions to a server that does not answer


class Supervision:
    def __init__(self, tools: Tools, claim: Claim, seat: Seat) -> None:
        self.claim, self.order = claim, StopOrder()
        self._tools = tools
        self._folder = tools.places.run(claim.run_id)
        self._desk = tools.places.desk(claim.run_id, claim.attempt)
        self._desk.path.mkdir(parents=True, exist_ok=True)
        self._outputs = Outputs(tools.client, claim, self._folder)
        self._shipper = Shipper(tools.client, claim, self._folder, self._desk, self.order)
        self._watch = Watch(claim, seat, self._desk, self.order, self._shipper, tools.settings.grace_s)

    def run(self) -> None:
        """Whatever goes wrong ends the job with a reason; where the job is not ours any more, nothing is told."""
        log.info("%s: attempt %d of a %s job", self.claim.run_id, self.claim.attempt, self.claim.kind)
        with self._helpers():
            ending = replace(self._ending(), peak=self._watch.peak)
            log.info("%s: %s %s", self.claim.run_id, ending.outcome, ending.reason or "")
            deliver(self._tools, self.claim, ending, self._outputs, self._shipper, self.order)
        self._tools.places.clear_desks(self.claim.run_id, self.claim.attempt)

    def kill(self) -> None:
        """At once, from another thread."""
        if self._watch.child is not None:
            self._watch.child.kill()

    @contextmanager
    def _helpers(self) -> Iterator[None]:
        heart, shipper = self._tools.heart, self._shipper
        heartbeat = Heartbeat(heart, self.claim, self.order, lambda: self._watch.usage, shipper.progress)
        threads = (heartbeat, shipper, EarlyOutputs(self._outputs, self.order))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.close()
            for thread in threads:
                thread.join()

    def _ending(self) -> Ending:
        try:
            return self._attempt()
        except (DreamgateError, OSError) as error:
            log.warning("%s: %s", self.claim.run_id, error)
            return self._stopped() if self.order else could_not_begin(str(error))
        except Exception as error:
            log.exception("%s: a mistake of the worker", self.claim.run_id)
            return could_not_begin(f"The worker made a mistake: {type(error).__name__}: {error}")

    def _attempt(self) -> Ending:
        commit = self.claim.commit
        with nullcontext() if commit is None else self._tools.source.at(commit) as source:
            return self._to_the_end(source)

    def _to_the_end(self, source: Path | None) -> Ending:
        deaths = 0
        while True:
            found = self._prepare(afresh=self.claim.fresh and not deaths)
            words = self._command(found)
            if self.order:
                return self._stopped()
            code = self._watch.run(words, found, source)
            ending = judge(self._exit(code), self.order.why, self.order.reason)
            if ending is not None:
                return ending
            deaths += 1
            self._shipper.job_log.write(f"worker: its process died (exit code {code}), time {deaths}")
            if deaths > REVIVALS:
                return died_too_often(code, deaths)
            self._shipper.shut()

    def _prepare(self, *, afresh: bool) -> StartingPoint:
        client, claim = self._tools.client, self.claim
        starting_point.wait_until_free(self._folder, self._desk, self.order, self._tools.settings.grace_s)
        if afresh:
            self._patiently(self._outputs.forget)
        return self._patiently(lambda: starting_point.prepare(client, claim, self._folder, self._desk, afresh=afresh))

    def _command(self, found: StartingPoint) -> list[str]:
        claim, folder = self.claim, self._folder.path
        processes = max(1, claim.gpus)
        if found.resumes_at is not None:
            return command.resume(folder, claim.resume_changes, processes=processes)
        if claim.kind == "train" and claim.records and not claim.fresh:
            self._shipper.job_log.write(
                "worker: there is no state to go on from, here or on the server: it begins anew"
            )
        write_json(self._desk.config, claim.config)
        return command.begin(
            claim.kind,
            folder,
            config=self._desk.config,
            checkpoint=self._checkpoint(),
            arguments=claim.arguments,
            words=claim.resume_changes,
            processes=processes,
        )

    def _checkpoint(self) -> Path | None:
        asked, tools = self.claim.checkpoint, self._tools
        if asked is None:
            return None
        return self._patiently(lambda: inputs.find_checkpoint(tools.client, tools.places, self._desk, asked))

    def _patiently(self, ask: Callable[[], T]) -> T:
        """A server that is away may come back, unless we are to stop first."""
        while True:
            try:
                return ask()
            except Unreachable:
                if self.order.wait(_AWAY_S):
                    raise

    def _exit(self, code: int) -> Exit:
        last_words, problem = self._shipper.job_log.last_lines(15), self._tools.places.problem()
        try:
            found = manifest.read(self._folder) if self._watch.has_started else None
        except UsageError:
            found = None
        if found is None:
            return Exit(code=code, status=None, last_words=last_words, place_problem=problem)
        status, error = found.status, found.outcome.error
        return Exit(code=code, status=status, error=error, last_words=last_words, place_problem=problem)

    def _stopped(self) -> Ending:
        assert self.order.why is not None
        return asked_to_stop(self.order.why, self.order.reason)
