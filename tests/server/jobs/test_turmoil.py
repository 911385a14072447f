"""Everything that can be done with jobs, done at once and at random by two servers: each job's rows always agree."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlmodel import Session, col, select

from server.database import Database
from server.errors import ApiError
from server.jobs import explain, listing, needs, reaper, requeue, workers
from server.jobs.cancel import cancel, cancel_many
from server.jobs.claim import claim
from server.jobs.ending import Ending, end
from server.jobs.heartbeat import beat
from server.jobs.orders import JobIn
from server.jobs.submit import submit
from server.live import events
from server.runs import edit, experiments
from server.tables import Attempt, Event, Experiment, Job, Outcome, Run, RunState
from tests.server.factories import NOW
from tests.server.jobs.asking import WORDS

pytestmark = pytest.mark.slow

SECONDS = 20.0
SPEED = 20.0  # of the clock, so that leases run out meanwhile
LEASE_S = 10.0
MOST = 60  # jobs
ORDER = JobIn(kind="train", queue="cpu", words=WORDS)
OUTCOMES = [outcome for outcome in Outcome if outcome != Outcome.LOST]


@dataclass
class Turmoil:
    """What is there, as far as those who meddle with it know."""

    began: float = field(default_factory=time.monotonic)
    runs: list[str] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # lease by run; many of them lost by now
    is_over: threading.Event = field(default_factory=threading.Event)
    done: Counter[str] = field(default_factory=Counter)
    broken: list[Exception] = field(default_factory=list)

    def now(self) -> float:
        return NOW + SPEED * (time.monotonic() - self.began)

    def deeds(self, draw: random.Random) -> list[Callable[[Session], object]]:
        """With one run, one lease and one worker, whichever they are."""
        now = self.now()
        run_id = draw.choice(self.runs)
        leased, token = draw.choice([*self.held.items()] or [(run_id, "none")])
        some = draw.sample(self.runs, min(len(self.runs), 15))
        facts = workers.Facts(
            name=draw.choice("ab"),
            host="box",
            pid=draw.randrange(3),
            queues=["cpu"],
            slots=4,
            gpus=0,
            runs_commits=False,
            facts={},
        )
        return [
            lambda session: self._submit(session, draw, now),
            *[lambda session: self._claim(session, draw.choice(self.workers), now)] * 4,
            *[lambda session: beat(session, leased, token, {}, {"env_steps": draw.randrange(9)}, now, LEASE_S)] * 2,
            *[lambda session: end(session, leased, token, Ending(outcome=draw.choice(OUTCOMES)), now)] * 2,
            lambda session: events.append(session, leased, 0, [{"kind": "note"}], now),
            lambda session: cancel(session, run_id, now),
            lambda session: cancel_many(session, now, states=[RunState.QUEUED, RunState.RUNNING], ids=some),
            lambda session: requeue.retry(session, run_id, now),
            lambda session: requeue.resume(session, run_id, [], now),
            lambda session: [reaper.reap(session, late, now) for late in reaper.overdue(session, now)[:1]],
            _rarely(draw, lambda session: reaper.grant_grace(session, now, LEASE_S)),
            _rarely(draw, lambda session: workers.register(session, facts, now)),
            lambda session: needs.cancel_hopeless(session, now),
            lambda session: explain.write_reasons(session, explain.stale_reasons(session, now, LEASE_S), now),
            lambda session: listing.edit(session, run_id, draw.randrange(5), None, now, LEASE_S),
            lambda session: edit.edit(session, run_id, {"tags": ["a"]}, now),
            lambda session: draw.choice([edit.delete, edit.restore])(session, run_id, now),
            _rarely(draw, lambda session: self._meddle(session, draw, now)),
        ]

    def go_on(self, database: Database, draw: random.Random) -> None:
        while not self.is_over.is_set():
            deed = draw.choice(self.deeds(draw))
            try:
                with database.writing() as session:
                    deed(session)
            except ApiError as error:
                self.done[error.code] += 1
            except Exception as error:  # above all a deadlock
                self.broken.append(error)
            else:
                self.done["done"] += 1

    def _submit(self, session: Session, draw: random.Random, now: float) -> None:
        if len(self.runs) < MOST:
            changes = {"experiment": draw.choice("xy"), "needs": draw.sample(self.runs, draw.randrange(2))}
            runs, _ = submit(session, ORDER.model_copy(update=changes), now, LEASE_S)
            session.commit()
            self.runs += [run.id for run in runs]

    def _claim(self, session: Session, worker_id: str, now: float) -> None:
        claimed = claim(session, worker_id, ["cpu"], 0, now, LEASE_S).claimed
        session.commit()
        if claimed is not None:
            self.held[claimed.run.id] = claimed.token
            self.done["claimed"] += 1

    def _meddle(self, session: Session, draw: random.Random, now: float) -> None:
        """With an experiment as a whole."""
        found = session.exec(select(Experiment).order_by(col(Experiment.name))).all()
        experiment = draw.choice(found)
        match draw.randrange(4):
            case 0:
                experiments.delete(session, experiment.id, now)
            case 1:
                experiments.edit(session, experiment.id, {"name": draw.choice("xyz")})
            case _:
                experiments.restore(session, experiment.id)


def _rarely(draw: random.Random, deed: Callable[[Session], object]) -> Callable[[Session], object]:
    return deed if draw.random() < 0.2 else lambda _: None


@pytest.fixture
def databases(database_url: str) -> Iterator[tuple[Database, Database]]:
    both = Database(database_url), Database(database_url)
    yield both
    for database in both:
        database.close()


def test_whatever_comes_together_leaves_the_rows_of_each_job_in_agreement(
    databases: tuple[Database, Database],
) -> None:
    turmoil = Turmoil()
    with databases[0].writing() as session:
        for name in "ab":
            facts = workers.Facts(
                name=name, host="box", pid=0, queues=["cpu"], slots=4, gpus=0, runs_commits=False, facts={}
            )
            turmoil.workers.append(workers.register(session, facts, turmoil.now())[0].id)
        turmoil.runs += [run.id for run in submit(session, ORDER, turmoil.now(), LEASE_S)[0]]
    threads = [
        threading.Thread(target=turmoil.go_on, args=[databases[number % 2], random.Random(number)])
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    turmoil.is_over.set()
    for thread in threads:
        thread.join()
    assert turmoil.broken == []
    assert turmoil.done["claimed"] > 20, turmoil.done
    with databases[0].reading() as session:
        for run, job in session.exec(select(Run, Job).join(Job, col(Job.run_id) == Run.id)):
            _check(session, run, job)


def _check(session: Session, run: Run, job: Job) -> None:
    is_held = run.state in (RunState.RUNNING, RunState.STOPPING)
    assert is_held == (job.lease_token is not None) == (job.lease_until is not None)
    attempts = session.exec(select(Attempt).where(col(Attempt.run_id) == run.id).order_by(col(Attempt.number))).all()
    assert [attempt.number for attempt in attempts] == [*range(1, job.attempts + 1)]
    open_ones = [attempt.token for attempt in attempts if attempt.ended_at is None]
    assert open_ones == ([job.lease_token] if is_held else [])
    assert run.state.is_final == (run.ended_at is not None)
    assert run.state.is_final or run.deleted_at is None
    assert run.state != RunState.RUNNING or job.cancel_requested_at is None
    assert run.state != RunState.STOPPING or job.cancel_requested_at is not None
    for origin in (events.CORE, events.SERVER):
        of_origin = select(Event.position).where(col(Event.run_id) == run.id, col(Event.origin) == origin)
        positions = session.exec(of_origin.order_by(col(Event.position))).all()
        assert list(positions) == [*range(len(positions))]
