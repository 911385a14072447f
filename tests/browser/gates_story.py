"""The days before: a team blesses a baseline, holds later changes against it, and runs its suites commit by commit."""

import hashlib
import random
import time
from typing import TYPE_CHECKING, Any

from tests.browser.curves import Plot

if TYPE_CHECKING:
    from tests.browser.story import Lab

KEY = "eval/mean_return"
LATE = {"env_steps_min": 30_000}
SOLVES: list[dict[str, Any]] = [
    {"check": "seeds_bootstrap", "keys": [KEY], "margin_pct": 0.1},
    {"check": "hold", "key": KEY, "level": 420, "keep": 380},
    {"check": "threshold_median", "keys": ["Loss/world_model_loss", "State/kl", "sps"], "threshold_pct": 0.1},
    {"check": "floor", "key": KEY, "value": 400, "of": "last", "name": "still solved at the end"},
    {"check": "entropy_gap", "name": "standing still"},
    {"check": "finite"},
    {"check": "floor", "key": "eval/success_rate", "value": 0.9, "window": {"last": 5}, "required": False},
]
SMOKE = {"name": "smoke", "checks": [{"check": "finite"}, {"check": "floor", "key": KEY, "value": 400, "of": "last"}]}
FAST = {
    "name": "fast-enough",
    "checks": [{"check": "floor", "key": "sps", "value": 95}, {"check": "ceiling", "key": "learner_ms", "value": 11}],
}
PARITY = {"name": "same-numbers", "checks": [{"check": "parity"}]}
UNUSED = {"name": "old-threshold", "checks": [{"check": "floor", "key": KEY, "value": 120}]}
CART = {"words": ["preset=cartpole", "steps=40000"], "seeds": [0, 1], "queue": "cpu", "gates": [{"gate": "smoke"}]}
COMMITS = [hashlib.sha256(f"commit {number}".encode()).hexdigest()[:12] for number in range(10)]


def tell_of_gates(lab: "Lab") -> None:
    """Leaves in `lab.paths` the pages that one would look at."""
    good = _group(lab, "reference", [16_000, 15_000, 17_000, 16_500, 15_500])
    _bless(lab, runs=good[:4], why="First one that holds 475 over four seeds.")
    _bless(lab, runs=good, who="grace", why="A fifth seed, and the same code.")
    _bless(lab, name="cartpole-anecdote", runs=good[:1], why="To have something to look at.", allow=["single_seed"])
    _bless(lab, name="old-replay", runs=good[:4], why="Before the replay was rewritten.")
    lab.post("/baselines/old-replay/1/retire", {"why": "The replay that it was measured with is gone."})
    _apply_gate(lab, SOLVES[3:4], 1)
    _apply_gate(lab, SOLVES, 2)
    slow = _group(lab, "shorter replay", [24_000, 26_000, 23_000, 28_000], commit=COMMITS[6], best=445.0, forgets=3)
    few = _group(lab, "larger batch", [15_000, 18_000, 16_000], commit=COMMITS[7], best=470.0)
    lab.paths["failed"] = _judge(lab, slow)
    lab.paths["undecided"] = _judge(lab, few)
    lab.paths["passed"] = _judge(lab, good)
    lab.paths |= {
        "baseline": "/baselines/cartpole/2",
        "diff": "/baselines/cartpole/2?before=1",
        "gate": "/gates/solves",
    }
    groups = ",".join(lab.get(f"/runs/{runs[0]}")["seed_group"] for runs in (slow, few))
    lab.paths["compare"] = f"/compare?groups={groups}&runs={good[0]}&baseline=cartpole@2"
    lab.paths["judged run"] = f"/runs/{slow[0]}"
    lab.paths["bless"] = f"/bless?run={slow[0]}"
    _suites(lab)


def _group(
    lab: "Lab",
    name: str,
    solved_at: list[int],
    *,
    commit: str = COMMITS[0],
    best: float = 488.0,
    forgets: int | None = None,
) -> list[str]:
    """A run for each seed; `forgets`: the seed that loses it again."""
    seeds = list(range(len(solved_at)))
    runs = lab.submit("algo.horizon=12", experiment="gates", name=name, seeds=seeds, primary_metric=KEY, commit=commit)
    for seed, run in enumerate(runs):
        lab.claim_this(run)
        forgets_at = 31_000 if seed == forgets else None
        lab.train(run, Plot(seed=len(name) * 100 + seed, solved_at=solved_at[seed], best=best, forgets_at=forgets_at))
        lab.end(run, "succeeded")
    return runs


def _bless(lab: "Lab", name: str = "cartpole", who: str = "ada", **said: Any) -> None:
    keys = [KEY, "eval/success_rate", "Rewards/rew_avg", "Loss/world_model_loss", "Loss/value_loss", "State/kl", "sps"]
    lab.post("/baselines", {"name": name, "who": who, "keys": keys, "window": LATE, **said})


def _apply_gate(lab: "Lab", checks: list[dict[str, Any]], version: int) -> None:
    lab.put("/gates/solves", {"version": version, "checks": checks, "source": "gates/solves.yaml"})


def _judge(lab: "Lab", runs: list[str]) -> str:
    lab.wait(900)
    said = lab.post("/gates/solves/evaluate", {"baseline": "cartpole", "runs": runs})
    return f"/gate-results/{said['id']}"


def _suites(lab: "Lab") -> None:
    """Two whose numbers somebody posts, commit by commit, and one that trains; it is under way at the end."""
    posted = {"train": False, "posted": True}
    _apply(
        lab,
        "gpu-main",
        question="Is an update as fast as it was, on the box with the H200?",
        gates=[FAST],
        scenarios=[
            {**posted, "name": size, "gates": [{"gate": "fast-enough", "of": "posted"}]} for size in ("12m", "50m")
        ],
    )
    _apply(
        lab,
        "reference-numbers",
        question="Do losses and steps still equal those of the references?",
        gates=[PARITY],
        scenarios=[{**posted, "name": "fixtures", "gates": [{"gate": "same-numbers", "of": "posted"}]}],
    )
    _apply(
        lab,
        "cpu-daily",
        question="Does CartPole still learn, on one core, from an empty folder?",
        schedule="0 3 * * *",
        gates=[SMOKE, UNUSED],
        scenarios=[{**CART, "name": "cartpole"}],
    )
    rng = random.Random(7)
    for place, commit in enumerate(COMMITS):
        branch = "faster-replay" if place in (4, 6) else "main"
        _post_speeds(lab, commit, branch, rng, slow=place == 5)
        if place % 2:
            _post_parity(lab, commit, branch, off=place == 7)
        if place in (3, 8):
            lab.paths[f"suite run {place}"] = _train(lab, commit, branch, best=150.0 if place == 8 else 480.0)
        lab.look()
        lab.wait(5 * 3600)
    lab.until_judged()
    running = _start(lab, "cpu-daily", COMMITS[9], "main", who="grace")
    first = lab.claim()
    lab.train(first, Plot(seed=31), until=26_000)
    lab.claim()
    lab.paths |= {
        "suite": "/suites/cpu-daily",
        "speeds": "/suites/gpu-main",
        "suite run 9": f"/suite-runs/{running['id']}",
    }


def _apply(lab: "Lab", name: str, **suite: Any) -> None:
    lab.put(f"/suites/{name}", {"suite": suite, "source": f"suites/{name}.yaml"})


def _start(lab: "Lab", suite: str, commit: str, branch: str, **more: str) -> Any:
    return lab.post(f"/suites/{suite}/runs", {"commit": commit, "branch": branch, "trigger": "ci", **more})


def _post_speeds(lab: "Lab", commit: str, branch: str, rng: random.Random, *, slow: bool) -> None:
    run = _start(lab, "gpu-main", commit, branch)
    for scenario, speed in (("12m", 118.0), ("50m", 104.0)):
        sps = speed * (0.8 if slow else 1 + rng.gauss(0, 0.02))
        record = {"sps": sps, "learner_ms": 1000 / sps}
        numbers = [{"name": "box-1", "records": [record]}]
        lab.post(f"/suite-runs/{run['id']}/scenarios/{scenario}/numbers", {"numbers": numbers})


def _post_parity(lab: "Lab", commit: str, branch: str, *, off: bool) -> None:
    run = _start(lab, "reference-numbers", commit, branch)
    cases = [
        {"name": name, "error": 3e-3 if off and name == "kl" else 2e-7, "tolerance": 1e-5, "reference": "33b6366"}
        for name in ("kl", "world model loss", "lambda returns")
    ]
    lab.post(f"/suite-runs/{run['id']}/scenarios/fixtures/numbers", {"parity": cases})


def _train(lab: "Lab", commit: str, branch: str, *, best: float) -> str:
    run = _start(lab, "cpu-daily", commit, branch)
    for step in run["scenarios"][0]["runs"]:
        lab.claim_this(step["run_id"])
        lab.train(step["run_id"], Plot(seed=40 + step["seed"], best=best))
        lab.end(step["run_id"], "succeeded")
    return f"/suite-runs/{run['id']}"


def wait_until_judged(lab: "Lab", seconds: float = 60.0) -> None:
    """Until the server's own timer has looked at every suite run."""
    give_up = time.monotonic() + seconds
    while lab.get("/suite-runs", state="running")["items"]:
        assert time.monotonic() < give_up, "the suite runs are never judged"
        time.sleep(0.2)
