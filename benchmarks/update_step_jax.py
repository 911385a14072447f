"""danijar/dreamerv3 as a contestant, in an environment that has JAX: python update_step_jax.py WORKLOAD A.

Its own agent from a checkout that DREAMERV3 names, with networks as wide as the others' and float32 everywhere. What is
timed is taking a batch and its `train`, one compiled update, until its weights are there.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from update_step_child import Entry, serve
from update_step_work import WORKLOADS, Workload

CHECKOUT = Path(os.environ["DREAMERV3"])
_NOT_TRAINED = ("opt/", "slowval/", "retnorm", "valnorm", "advnorm")


def make(work: Workload) -> Entry:
    sys.path.insert(0, str(CHECKOUT))
    import jax

    agent = _agent(work)
    data, state = _data(work), {"carry": agent.init_train(work.batch)}
    batches = iter(agent.stream(iter(lambda: dict(data), None)))

    def update() -> None:
        state["carry"], *_ = agent.train(state["carry"], next(batches))
        jax.block_until_ready(agent.params)

    weights = [value for key, value in agent.params.items() if not key.startswith(_NOT_TRAINED)]
    parameters = sum(int(weight.size) for weight in weights)
    return Entry(update, parameters, lambda: {"gflop": None, "operators": None}, {"jax": jax.__version__})


def _agent(work: Workload) -> Any:
    import elements
    import numpy as np
    import ruamel.yaml
    from dreamerv3.agent import Agent

    settings = ruamel.yaml.YAML(typ="safe").load((CHECKOUT / "dreamerv3" / "configs.yaml").read_text())
    config = elements.Config(settings["defaults"])
    if work.is_pixels:
        config = config.update(settings["size12m"])
    else:
        widths = {"deter": work.deter, "hidden": work.units, "classes": work.classes}
        config = config.update({r".*\.rssm": widths, r".*\.units": work.units})
    config = config.update({"jax.platform": "cpu", "jax.compute_dtype": "float32", "jax.prealloc": False})
    flags = {name: elements.Space(bool) for name in ("is_first", "is_last", "is_terminal")}
    seen = elements.Space(np.uint8, (64, 64, 3)) if work.is_pixels else elements.Space(np.float32, (4,))
    spaces = {"reward": elements.Space(np.float32), **flags, _key(work): seen}
    actions = {"action": elements.Space(np.int32, (), 0, work.actions)}
    run = {"batch_size": work.batch, "batch_length": work.length, "report_length": config.report_length, "seed": 0}
    run |= {"replay_context": 0, "replica": 0, "replicas": 1, "logdir": tempfile.mkdtemp()}
    run["jax"] = {**config.jax, "profiler": False}  # it would begin at the hundredth update
    return Agent(spaces, actions, elements.Config(**config.agent, **run))


def _data(work: Workload) -> dict[str, Any]:
    import numpy as np

    generator, rows = np.random.default_rng(0), (work.batch, work.length)
    if work.is_pixels:
        seen: Any = generator.integers(0, 256, (*rows, 64, 64, 3), dtype=np.uint8)
    else:
        seen = generator.standard_normal((*rows, 4)).astype(np.float32)
    return {
        _key(work): seen,
        "reward": generator.standard_normal(rows).astype(np.float32),
        "is_first": generator.random(rows) < 0.02,
        "is_last": generator.random(rows) < 0.02,
        "is_terminal": generator.random(rows) < 0.01,
        "action": generator.integers(work.actions, size=rows).astype(np.int32),
        "consec": np.zeros(rows, np.int32),
        "stepid": np.zeros((*rows, 20), np.uint8),
    }


def _key(work: Workload) -> str:
    return "image" if work.is_pixels else "state"


if __name__ == "__main__":
    serve(lambda: make(WORKLOADS[sys.argv[1]]))
