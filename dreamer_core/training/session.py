"""A training run from its first tick to its last: when to log, evaluate, save and stop."""

from pathlib import Path
from typing import Any, Protocol

from dreamer_core.config.tree import Config
from dreamer_core.errors import NonFiniteError, Stopped
from dreamer_core.evaluation.play import play_cohort
from dreamer_core.evaluation.summary import scores
from dreamer_core.metrics.sink import EventLog, JsonlSink
from dreamer_core.runs import manifest
from dreamer_core.runs.atomic import write_json
from dreamer_core.runs.folder import RunFolder
from dreamer_core.training import checkpoint
from dreamer_core.training.checkpoint import Snapshot
from dreamer_core.training.engine import BadBatchError, Engine
from dreamer_core.training.failure import write_bundle
from dreamer_core.training.record import Interval, make_record
from dreamer_core.training.stopping import StopRequest, listening
from dreamer_core.training.trainer import Progress, Trainer
from dreamer_core.training.watch import Best, EarlyStop, Event, Watch


class Reporter(Protocol):
    """Somebody who watches: the terminal, or nobody."""

    def on_start(self, run: Path, records: int, events: int) -> None:
        """The run begins in its folder, or goes on there, with so many records and events kept."""

    def on_progress(self, progress: Progress, updates: int) -> None: ...

    def on_record(self, record: dict[str, Any]) -> None: ...

    def on_eval(self, summary: dict[str, Any]) -> None: ...

    def on_event(self, event: Event) -> None: ...


class Session:
    def __init__(self, engine: Engine, folder: RunFolder, reporter: Reporter) -> None:
        self.engine, self.trainer = engine, engine.trainer
        self.folder, self.reporter = folder, reporter
        self.config: Config = engine.trainer.config
        self.is_chief = engine.trainer.collective.rank == 0
        self.sink = JsonlSink(folder.metrics if self.is_chief else self._own(folder.metrics))
        self.events = EventLog(folder.events if self.is_chief else self._own(folder.events))
        self.trace_id = manifest.read(folder).trace_id
        self.interval = Interval()
        self.watch, self.best = Watch(self.config), Best()
        self.early_stop = EarlyStop(self.config.eval.stop_after_passes, self.config.eval.pass_return)
        self.stop_reason: str | None = None
        self.last_eval: dict[str, Any] | None = None
        self.evaluated_at = -1
        self._saved: tuple[tuple[int, int, int], Path] | None = None
        self.stop = StopRequest()

    def run(self) -> None:
        """Train to the end. Raises Stopped when asked to stop; every way out leaves the manifest true."""
        if self.is_chief:
            self.reporter.on_start(self.folder.path, self.sink.count(), self.events.count())
        try:
            with listening(self.stop):
                self._loop()
                self._finish()
        except Stopped:
            self._close("interrupted", reason=f"signal {self.stop.signal_name or 'to another rank'}")
            raise
        except KeyboardInterrupt:
            self._close("interrupted", reason="asked twice to stop: what came after the last checkpoint is lost")
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._close("succeeded", reason=self.stop_reason or "total_steps reached")

    def _loop(self) -> None:
        everybody = self.trainer.collective
        while self.trainer.progress.env_steps < self.config.algo.total_steps and self.stop_reason is None:
            before = self.trainer.progress.env_steps
            ticked = self.engine.tick()
            is_learning = self.trainer.progress.learning_since is not None
            self.interval.add(ticked, is_learning=is_learning, rate=self.trainer.ratio.rate)
            if self.is_chief:
                self.reporter.on_progress(self.trainer.progress, self.trainer.learner.count)
            self._mark_passage(before, self.trainer.progress.env_steps)
            if everybody.any(bool(self.stop)):
                self.save()
                everybody.any(False)  # wait: the first one to leave would have torchrun interrupt those that still save
                name = self.stop.signal_name or "another rank"
                raise Stopped(f"stopped by {name}; the state is saved", folder=self.folder.path)
            if everybody.any(self.stop_reason is not None) and self.stop_reason is None:
                self.stop_reason = "the first rank stopped early"

    def _mark_passage(self, before: int, after: int) -> None:
        """Log, evaluate and save, in this order, where a multiple of their intervals was passed."""
        if _crossed(before, after, self.config.run.log_every):
            self.log()
        if _crossed(before, after, self.config.eval.every) and self.trainer.learner.count:
            self.evaluate()
        if _crossed(before, after, self.config.run.checkpoint_every):
            self.save()

    def _finish(self) -> None:
        if self.interval.env_steps:
            self.log()
        if self.config.eval.every and self.evaluated_at != self.trainer.progress.env_steps and self._trains_actor:
            self.evaluate()
        if not self.trainer.learner.count and self.config.algo.replay_ratio:
            self._announce([_no_updates(self.trainer)])
        self.save()

    def log(self) -> None:
        self.engine.settle()
        record = make_record(self.trainer, self.interval, self.folder.run_id, self.trace_id)
        self.trainer.episodes.clear()
        self.interval = Interval(actor_updates_before=self.trainer.progress.actor_updates)
        self._write(record)
        self._announce(self.watch.on_record(record))

    def evaluate(self) -> None:
        """Score the policy on the fixed cohort; keep the best; stop early once it passes often enough.

        Only the first rank plays, but all keep the best moment: they can only be resumed from one they have in common.
        """
        if not self._trains_actor:
            return
        self.engine.settle()
        self.evaluated_at = self.trainer.progress.env_steps
        if self.trainer.collective.any(self.is_chief and self._score()):
            path = self.save()
            if self.is_chief and self.best.current is not None:
                checkpoint.mark_best(self.checkpoints, path, *self.best.current)
        self._update_manifest()

    def _score(self) -> bool:
        """Whether the policy is the best so far."""
        settings = self.config.eval
        played = play_cohort(
            self.trainer.judged,
            self.config,
            episodes=settings.episodes,
            greedy=settings.greedy,
            seed_base=settings.seed_base,
        )
        env_steps = self.trainer.progress.env_steps
        summary: dict[str, Any] = {**played, "env_steps": env_steps}
        self.last_eval = summary
        self.folder.eval.mkdir(exist_ok=True)
        write_json(self.folder.eval / f"step_{env_steps:012d}.json", summary)
        self._write(self._eval_record(summary))
        self.reporter.on_eval(summary)
        score = float(summary["mean_return"])
        self._announce(self.watch.on_eval(env_steps, score))
        if self.early_stop.offer(score):
            self.stop_reason = f"{settings.stop_after_passes} evaluations in a row reached {settings.pass_return}"
        return self.best.offer(score, env_steps)

    def save(self) -> Path:
        """A checkpoint of this moment, unless there already is one."""
        moment = (self.trainer.progress.env_steps, self.sink.offset(), self.events.offset())
        if self._saved is None or self._saved[0] != moment:
            self._saved = (moment, self._write_checkpoint())
            self._update_manifest()
        return self._saved[1]

    def _write_checkpoint(self) -> Path:
        self.engine.settle()
        snapshot = self.trainer.snapshot()
        snapshot.state["session"] = {
            "metrics_offset": self.sink.offset(),
            "events_offset": self.events.offset(),
            "watch": self.watch.state(),
            "best": self.best.state(),
            "early_stop": self.early_stop.state(),
            "evaluated_at": self.evaluated_at,
            "last_eval": self.last_eval,
            "interval": vars(self.interval),
            "ranks": self.trainer.collective.size,
        }
        return checkpoint.save(self.checkpoints, snapshot, keep=self.config.run.keep_checkpoints)

    def restore(self, snapshot: Snapshot) -> None:
        """Back to the moment of the checkpoint. What was written after it is dropped: it will be written again.

        The trainer is restored before: an engine may copy its weights.
        """
        state = snapshot.state["session"]
        self.sink.truncate(state["metrics_offset"])
        self.events.truncate(state["events_offset"])
        self.watch.restore(state["watch"])
        self.best.restore(state["best"])
        self.early_stop.restore(state["early_stop"])
        self.evaluated_at, self.last_eval = state["evaluated_at"], state["last_eval"]
        self.interval = Interval(**state["interval"])
        if self.is_chief and self.best.current is not None and self.best.current[1] == snapshot.env_steps:
            # Killed between the two, a checkpoint was saved as the best and not yet marked so.
            checkpoint.mark_best(self.checkpoints, checkpoint.resolve(self.checkpoints), *self.best.current)

    @property
    def checkpoints(self) -> Path:
        return self.folder.checkpoints if self.is_chief else self._own(self.folder.checkpoints)

    @property
    def _trains_actor(self) -> bool:
        return self.config.mode in ("train", "dreamer")

    def _own(self, path: Path) -> Path:
        """Where a rank other than the first keeps its part."""
        own = self.folder.path / "ranks" / str(self.trainer.collective.rank) / path.name
        own.parent.mkdir(parents=True, exist_ok=True)
        return own

    def _write(self, record: dict[str, Any]) -> None:
        self.sink.write(record)
        if self.is_chief:
            self.reporter.on_record(record)

    def _eval_record(self, summary: dict[str, Any]) -> dict[str, Any]:
        progress = self.trainer.progress
        record: dict[str, Any] = {"env_steps": progress.env_steps, "train_steps": self.trainer.learner.count}
        record |= {"wall_time_s": progress.seconds, "cpu_time_s": progress.cpu_seconds}
        return record | {"run_id": self.folder.run_id, "trace_id": self.trace_id} | scores(summary)

    def _announce(self, events: list[Event]) -> None:
        for event in events:
            self.events.write(
                event.kind,
                env_steps=event.env_steps,
                train_steps=event.train_steps,
                message=event.message,
                **event.facts,
            )
            if self.is_chief:
                self.reporter.on_event(event)

    def _fail(self, error: BaseException) -> None:
        """The manifest first: it must say `failed` also where the bundle cannot be written."""
        try:
            self._close("failed", reason="error", error=f"{type(error).__name__}: {error}")
        except OSError as echo:  # of a full disk, that `error` is about
            error.add_note(f"the manifest could not be brought up to date: {echo}")
            return
        if isinstance(error, NonFiniteError):
            self._leave_bundle(error)

    def _leave_bundle(self, error: NonFiniteError) -> None:
        batch = error.batch if isinstance(error, BadBatchError) else None
        tensors = {} if batch is None else {"reward": batch.reward, "action": batch.action, **batch.obs}
        env_steps = self.trainer.progress.env_steps
        write_bundle(self.folder, error, step=error.step, env_steps=env_steps, tensors=tensors, first_bad=error.name)
        error.add_note(f"what it met, and how to see it again, is in {self.folder.failure}")

    def _close(self, status: str, *, reason: str, error: str | None = None) -> None:
        if self.is_chief:
            self._update_manifest(status=status, stop_reason=reason, error=error)

    def _update_manifest(self, **changes: Any) -> None:
        if self.is_chief:
            manifest.update(
                self.folder,
                env_steps=self.trainer.progress.env_steps,
                train_steps=self.trainer.learner.count,
                latest_eval=None if self.last_eval is None else (self.last_eval["mean_return"], self.evaluated_at),
                best_eval=self.best.current,
                **changes,
            )


def _no_updates(trainer: Trainer) -> Event:
    steps, algo = trainer.progress.env_steps, trainer.config.algo
    message = (
        f"the run ended after {steps} steps, before learning began: algo.learning_starts is {algo.learning_starts}, "
        f"and a sequence needs {trainer.replay.window} rows of each environment; make algo.total_steps larger"
    )
    return Event("no_updates", steps, 0, message)


def _crossed(before: int, after: int, every: int) -> bool:
    """Whether a multiple of `every` lies in (before, after]. Needs no memory, so a resume cannot get it wrong."""
    return every > 0 and after // every > before // every
