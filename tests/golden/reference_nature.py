"""Generates the `nature` fixtures from sheeprl 0.8.4's `dreamer_v3_5`; started by generate.py in its environment."""

from tests.golden import nature_init, nature_learning, nature_maths, nature_modules, nature_replay
from tests.golden.worker import run

PARTS = (nature_maths, nature_modules, nature_init, nature_learning, nature_replay)
# Of the sources that the fixtures go through, as worker.py counts them.
DIGEST = "d3bbb8fa7fdeba8a17ca27ff4a53c3518779f688c9b1680e8a9979c420504922"

if __name__ == "__main__":
    run("nature", version="0.8.4", commit=None, package="algos/dreamer_v3_5", digest=DIGEST)
