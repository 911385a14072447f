"""Generates the `sheeprl` fixtures from sheeprl 0.5.8's `dreamer_v3`; started by generate.py in its environment."""

from tests.golden import sheeprl_learning, sheeprl_maths, sheeprl_modules, sheeprl_replay
from tests.golden.worker import run

PARTS = (sheeprl_maths, sheeprl_modules, sheeprl_learning, sheeprl_replay)
COMMIT = "33b636681fd8b5340b284f2528db8821ab8dcd0b"
# Of the sources that the fixtures go through, as worker.py counts them.
DIGEST = "44d7892c6d9cca51d9bdb10f10328258738eb1140ea498e384119e02e3257717"

if __name__ == "__main__":
    run("sheeprl", version="0.5.8.dev", commit=COMMIT, package="algos/dreamer_v3", digest=DIGEST)
