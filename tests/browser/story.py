"""A day in a small lab, told through the REST API: what the browser tests and the pictures of the docs look at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from dreamer_core.metrics.jsonsafe import dumps
from tests.browser.curves import Plot, records
from tests.browser.gates_story import tell_of_gates, wait_until_judged
from tests.browser.picture import checkerboard

API = "/api/v1"
STEPS = 40_000


@dataclass
class Lab:
    """Somebody who submits, and a worker that does as it is told. `wait` lets the server's time pass."""

    client: httpx2.Client
    wait: Callable[[float], None] = lambda seconds: None
    worker: str = ""
    leases: dict[str, str] = field(default_factory=dict)
    look: Callable[[], None] = lambda: None  # what the server's timer does by itself, where it is off
    paths: dict[str, str] = field(default_factory=dict)  # of pages about gates, by what is to be seen there

    def post(self, path: str, body: Any, **headers: str) -> Any:
        answer = self.client.post(
            f"{API}{path}", content=dumps(body), headers={"Content-Type": "application/json", **headers}
        )
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def put(self, path: str, body: Any) -> None:
        answer = self.client.put(f"{API}{path}", json=body)
        assert answer.is_success, f"PUT {path}: {answer.status_code} {answer.text}"

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(f"{API}{path}", params=params)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def until_judged(self) -> None:
        self.look()
        wait_until_judged(self)

    def submit(self, *words: str, **more: Any) -> list[str]:
        made = self.post("/jobs", {"kind": "train", "words": ["preset=cartpole", f"steps={STEPS}", *words], **more})
        return [job["run_id"] for job in made["items"]]

    def open_worker(self) -> None:
        facts = {"version": "0.2.0", "cpu": "8 cores", "torch": "2.13.0"}
        me = {"name": "box-1", "host": "box", "pid": 4711, "queues": ["cpu"], "slots": 4, "gpus": 0}
        self.worker = self.post("/workers", {**me, "runs_commits": True, "facts": facts})["id"]

    def beat(self) -> None:
        self.post(f"/workers/{self.worker}/heartbeat", {"state": "online", "free_slots": 2})

    def claim(self) -> str:
        claim = self.post(f"/workers/{self.worker}/claim", {"queues": ["cpu"], "free_gpus": 0})["claim"]
        self.leases[claim["run_id"]] = claim["token"]
        return str(claim["run_id"])

    def claim_this(self, run: str) -> None:
        """Before all others: it is given the highest priority first."""
        answer = self.client.patch(f"{API}/jobs/{run}", json={"priority": 100})
        assert answer.is_success, answer.text
        claimed = self.claim()
        assert claimed == run

    def lease(self, run: str) -> dict[str, str]:
        return {"X-Dreamgate-Lease": self.leases[run]} if run in self.leases else {}

    def train(self, run: str, plot: Plot, *, until: int = STEPS) -> None:
        """Metrics, log, events and progress up to a step; the server's time goes on as a training's would."""
        written = [record for record in records(plot) if record["env_steps"] <= until]
        for first in range(0, len(written), 100):
            part = written[first : first + 100]
            self.post(f"/runs/{run}/metrics", {"offset": first, "records": part}, **self.lease(run))
            self.wait(100 * 100 / 12.4)
        self._log(run, written)
        self._events(run, until)
        self.progress(run, until)

    def progress(self, run: str, step: int) -> None:
        self.beat()
        usage = {"rss_mib": 812.0, "cpu_percent": 98.0, "disk_mib": 44.0}
        done = {"env_steps": step, "train_steps": max(0, step - 1024) // 2, "steps_per_s": 12.4}
        self.post(f"/jobs/{run}/heartbeat", {"usage": usage, **done}, **self.lease(run))

    def end(self, run: str, outcome: str, **more: Any) -> None:
        peak = {"rss_mib": 861.0, "disk_mib": 52.0}
        self.post(f"/jobs/{run}/end", {"outcome": outcome, "exit_code": 0, "peak": peak, **more}, **self.lease(run))

    def keep(self, run: str, name: str, content: bytes) -> None:
        answer = self.client.put(f"{API}/runs/{run}/artifacts/{name}", content=content, headers=self.lease(run))
        assert answer.is_success, answer.text

    def note(self, run: str, **changes: Any) -> None:
        answer = self.client.patch(f"{API}/runs/{run}", json=changes)
        assert answer.is_success, answer.text

    def _log(self, run: str, written: list[dict[str, Any]]) -> None:
        lines = [
            f"step {each['env_steps']:>6,}  return {each['Rewards/rew_avg']:6.1f}  "
            f"world model {each['Loss/world_model_loss']:6.3f}  {each['sps']:.1f} steps/s\n"
            for each in written
            if "sps" in each
        ]
        body = "".join(["dreamgate 0.2.0, CartPole-v1, recipe nature, 1 thread\n", *lines]).encode()
        answer = self.client.post(f"{API}/runs/{run}/log?offset=0", content=body, headers=self.lease(run))
        assert answer.is_success, answer.text

    def _events(self, run: str, until: int) -> None:
        kept = [
            {"kind": "checkpoint", "env_steps": step, "train_steps": step // 2, "message": f"saved step-{step}"}
            for step in range(10_000, until + 1, 10_000)
        ]
        self.post(f"/runs/{run}/events", {"offset": 0, "events": kept}, **self.lease(run))


def tell(lab: Lab) -> dict[str, str]:
    """The whole day. Returns runs that one would look at, by what happened to them."""
    said = {"name": "horizon", "question": "Does a shorter dream learn faster?"}
    lab.paths["log"] = f"/experiments/{lab.post('/experiments', said)['id']}"
    lab.open_worker()
    tell_of_gates(lab)
    short, solved = _compare_horizons(lab)
    found = {"short": short, "solved": solved}
    found["forgot"] = _one(lab, Plot(seed=7, forgets_at=28_000), name="cartpole, high entropy", tags=["odd"])
    found["broken"] = _breaks(lab)
    found["cancelled"] = _is_cancelled(lab)
    found["waiting"] = lab.submit(
        "env.num_envs=16", queue="gpu", gpus=2, experiment="scale", name="sixteen on two GPUs"
    )[0]
    found["running"] = _runs_now(lab)
    lab.submit("algo.horizon=20", experiment="horizon", name="horizon 20", seeds=[0, 1], priority=5)
    lab.beat()
    return found


def _compare_horizons(lab: Lab) -> list[str]:
    """Two variants, three seeds each. The last run of each is returned."""
    last: dict[int, str] = {}
    for horizon, solved_at in ((15, 15_000), (10, 21_000)):
        hypothesis = f"A horizon of {horizon} solves CartPole within {STEPS:,} steps." if horizon == 10 else ""
        submitted = lab.submit(
            f"algo.horizon={horizon}",
            experiment="horizon",
            name=f"horizon {horizon}",
            seeds=[0, 1, 2],
            hypothesis=hypothesis,
            primary_metric="eval/mean_return",
            stop_rule=f"{STEPS:,} steps, or 475 in five evaluations one after the other.",
        )
        for seed in range(len(submitted)):
            run = lab.claim()
            spike_at = 22_500 if seed == 2 else None
            plot = Plot(seed=10 * horizon + seed, solved_at=solved_at + 1500 * seed, spike_at=spike_at)
            lab.train(run, plot)
            lab.keep(run, "eval/summary.json", b'{"mean_return": 487.3, "episodes": 20}\n')
            lab.keep(run, "viz/dream.png", checkerboard())
            lab.end(run, "succeeded")
            last[horizon] = run
    lab.note(last[15], tags=["baseline?"])
    lab.note(last[15], conclusion="Solved at 18k steps; the critic jumped once, without harm.", group=True)
    lab.post(f"/runs/{last[15]}/annotations", {"text": "The jump at 22,500 is one bad batch: nothing follows from it."})
    lab.post("/gates/compare/evaluate", {"seed_group": lab.get(f"/runs/{last[10]}")["seed_group"]})
    return [last[10], last[15]]


def _one(lab: Lab, plot: Plot, **submission: Any) -> str:
    lab.submit("actor.ent_coef=0.003", experiment="exploration", **submission)
    run = lab.claim()
    lab.train(run, plot)
    lab.end(run, "succeeded")
    return run


def _breaks(lab: Lab) -> str:
    lab.submit("lr=0.01", experiment="exploration", name="cartpole, lr 0.01")
    run = lab.claim()
    lab.train(run, Plot(seed=3, solved_at=60_000, breaks_at=9_200), until=9_600)
    lab.end(run, "failed", error="LossError: world_model_loss is NaN at update 4,288. The parts are in failure/.")
    return run


def _is_cancelled(lab: Lab) -> str:
    lab.submit("steps=80000", experiment="exploration", name="cartpole, 80k steps")
    run = lab.claim()
    lab.train(run, Plot(seed=4), until=21_000)
    lab.post(f"/jobs/{run}/cancel", {})
    lab.end(run, "cancelled")
    return run


def _runs_now(lab: Lab) -> str:
    run = ""
    for seed in range(2):
        lab.submit("algo.horizon=15", "env.num_envs=8", experiment="envs", name="eight environments", seeds=[seed])
        run = lab.claim()
        lab.train(run, Plot(seed=20 + seed, solved_at=13_000), until=24_000 + 5_000 * seed)
    return run
