"""Suites for tests: small ones by hand, and any that can be."""

from typing import Any

from hypothesis import strategies as st

from dreamer_core.gates import Gate
from dreamer_core.gates.checks import Finite, Floor, SeedsBootstrap
from dreamer_core.suites import Bench, Evaluation, GateUse, Scenario, Suite
from dreamer_core.suites.cron import Schedule
from dreamer_core.suites.spec import Source

FINITE = Gate(name="sound", checks=(Finite(),))
FLOOR = Gate(name="floor", version=2, checks=(Floor(key="mean_return", value=400.0),), directions={"mine": "higher"})
SEEDS = Gate(name="seeds", checks=(SeedsBootstrap(keys=("mean_return",)),))
WORDS = ("preset=cartpole+debug", "device=cpu")


def a_scenario(**changes: Any) -> Scenario:
    return Scenario(**{"name": "smoke", "words": WORDS, "gates": (GateUse(gate="sound"),), **changes})


def a_suite(**changes: Any) -> Suite:
    return Suite(**{"name": "daily", "gates": (FINITE, FLOOR, SEEDS), "scenarios": (a_scenario(),), **changes})


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,15}", fullmatch=True)
GATES = (GateUse(gate="sound"), GateUse(gate="floor"), GateUse(gate="seeds", baseline="cartpole@3"))
EVALUATIONS = st.builds(
    Evaluation, episodes=st.integers(1, 100_000), greedy=st.booleans(), which=st.sampled_from(["best", "last"])
)
BENCHES = st.builds(Bench, updates=st.integers(1, 1000), warmup=st.integers(0, 10))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    train, posted = draw(st.booleans()), draw(st.booleans())
    evaluation = draw(st.none() | EVALUATIONS) if train else None
    bench = draw(st.none() | BENCHES)
    has: dict[Source, bool] = {"train": train, "eval": evaluation is not None, "bench": bench is not None}
    sources = [source for source, had in has.items() if had] or ["posted"]
    looked_at = draw(st.lists(st.sampled_from(GATES), min_size=1, max_size=3, unique=True))
    return Scenario(
        name=draw(NAMES),
        words=WORDS if any(has.values()) else draw(st.sampled_from([(), WORDS])),
        seeds=tuple(draw(st.lists(st.integers(0, 2**50), min_size=1, max_size=5, unique=True))),
        queue=draw(st.sampled_from(["auto", "cpu", "gpu-2"])),
        gpus=draw(st.none() | st.integers(0, 64)),
        priority=draw(st.integers(-100, 100)),
        seconds=draw(st.none() | st.integers(1, 100_000)),
        train=train,
        eval=evaluation,
        bench=bench,
        posted=posted or not any(has.values()),
        gates=tuple(
            GateUse(gate=use.gate, of=draw(st.sampled_from(sources)), baseline=use.baseline) for use in looked_at
        ),
    )


SUITES = st.builds(
    Suite,
    name=NAMES,
    version=st.integers(1, 99_999_999),
    question=st.text(max_size=30),
    schedule=st.none() | st.sampled_from(["0 3 * * *", "@weekly"]).map(Schedule),
    confirm=st.integers(0, 3),
    stop_early=st.sampled_from(["never", "harm", "futility", "both"]),
    gates=st.just((FINITE, FLOOR, SEEDS)),
    scenarios=st.lists(scenarios(), min_size=1, max_size=3, unique_by=lambda one: one.name).map(tuple),
)
