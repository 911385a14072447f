"""CartPole learned by sheeprl 0.8.4, seed by seed, to stand beside `dreamgate bench learning`.

    python benchmarks/learning_peer.py --seeds 0,1 --steps 5000      two seeds at a time, one thread each

Its `dreamer_v3_5`, as small as ours, with the first settings that were tried and not tuned: half an update a step,
learning rate 4e-4. Its checkpoints are played with greedy actions, in the cohort that judges ours.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server_report import machine
from update_step import environment_of

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1])
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--every", type=int, default=500, help="environment steps between checkpoints")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "dreamgate-benchmarks")
    args = parser.parse_args()
    python, facts = environment_of("sheeprl", args.environments), machine(HERE.parent)
    steps = range(args.every, args.steps + 1, args.every)
    _say(f"| seed | {' | '.join(f'{step:,}' for step in steps)} | updates | CPU minutes |")
    _say("|---" * (len(steps) + 3) + "|")
    with ThreadPoolExecutor(args.jobs) as pool:
        for line in pool.map(lambda seed: _learn(python, seed, args), args.seeds):
            _say(line)
    _say(json.dumps(facts | {"command": " ".join(sys.argv)}))


def _learn(python: Path, seed: int, args: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as folder:
        words = [str(value) for value in (seed, args.steps, args.every, args.episodes)]
        done = subprocess.run(  # noqa: S603
            [python, HERE / "learning_sheeprl.py", *words], cwd=folder, capture_output=True, text=True, check=False
        )
    if done.returncode:
        return f"| {seed} | broke: {(done.stderr.strip().splitlines() or ['no word'])[-1]} |"
    found = json.loads(done.stdout.splitlines()[-1])
    scores = " | ".join(f"{score:.0f}" for score in found["scores"])
    return f"| {seed} | {scores} | {found['updates']:,} | {found['cpu_s'] / 60:.1f} |"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
