"""How long one update takes beside peers, on the same shapes with networks of the same class and size.

    python benchmarks/update_step.py                             Dreamgate alone
    python benchmarks/update_step.py --peers sheeprl --rounds 8  with sheeprl 0.8.4, in an environment made for it once
    python benchmarks/update_step.py --workloads W2 --threads 2  pixels, on a machine that does nothing else
    python benchmarks/update_step.py --peers jax --dreamerv3 DIR
                                                                 with the JAX original, from a checkout of
                                                                 danijar/dreamerv3 (e3f0224); class A alone

Every contestant is a process of its own that waits while another one runs. They take turns round by round, in changing
order, so that a busy moment of the machine meets all of them; a ratio is the median of those of the rounds. Where a
machine is shared, only CPU time with one thread means something: threads that wait for a busy core count as working.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server_report import machine
from update_step_report import table
from update_step_work import CLASSES, WORKLOADS

HERE = Path(__file__).resolve().parent
_OF_JAX = ["elements", "ninjax", "portal", "optax", "chex", "numpy<2", "ruamel.yaml", "einops", "scope", "granular"]
REQUIREMENTS = {"sheeprl": ("sheeprl==0.8.4", "torch==2.13.0"), "jax": ("jax==0.4.33", "jaxlib==0.4.33", *_OF_JAX)}
PLAYS = {"dreamgate": CLASSES, "sheeprl": CLASSES, "jax": ("A",)}


class Contestant:
    """One process with one network, or none where it could not start."""

    def __init__(self, name: str, kind: str, workload: str, python: Path, threads: int) -> None:
        self.name, self.kind = name, kind
        path = os.pathsep.join([str(HERE.parent)] if name == "dreamgate" else [])
        clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environ = clean | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "PYTHONPATH": path}
        script = HERE / f"update_step_{'ours' if name == 'dreamgate' else name}.py"
        self.process = subprocess.Popen(  # noqa: S603
            [python, script, workload, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environ,
            cwd=HERE,
        )
        self.rounds: list[dict[str, Any]] = []

    def ask(self, word: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} {self.kind} ended with {self.process.wait()}; run {self.process.args} to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    args = _arguments()
    if args.dreamerv3:
        os.environ["DREAMERV3"] = str(args.dreamerv3.resolve())  # for the contestant
    facts = {**machine(HERE.parent), "command": " ".join(sys.argv), "threads": args.threads}
    pythons = {"dreamgate": Path(sys.executable)}
    pythons |= {peer: environment_of(peer, args.environments) for peer in args.peers}
    results = {
        workload: {kind: _compete(workload, kind, pythons, args) for kind in args.classes}
        for workload in args.workloads
    }
    facts["load_after"] = os.getloadavg()[0]
    sys.stdout.write(table(results))
    sys.stdout.write(json.dumps(facts) + "\n")
    if args.out:
        args.out.write_text(json.dumps({"machine": facts, "results": results}, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=_names(WORKLOADS), default=["W1", "W3"], help="of W1, W2, W3")
    parser.add_argument("--classes", type=_names(CLASSES), default=list(CLASSES), help="of A, B")
    parser.add_argument("--peers", type=_names(REQUIREMENTS), default=[], help="of sheeprl, jax")
    parser.add_argument("--dreamerv3", type=Path, metavar="DIR", help="checkout of danijar/dreamerv3, for jax")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "dreamgate-benchmarks")
    parser.add_argument("--out", type=Path, help="where to write the numbers as JSON")
    args = parser.parse_args()
    has_checkout = args.dreamerv3 is not None and (args.dreamerv3 / "dreamerv3" / "configs.yaml").exists()
    if "jax" in args.peers and not has_checkout:
        parser.error(f"--peers jax wants --dreamerv3, a checkout of danijar/dreamerv3, and got {args.dreamerv3}")
    return args


def _names(known: Any) -> Any:
    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return read


def environment_of(peer: str, environments: Path) -> Path:
    """Its Python; made where there is none yet: minutes."""
    requirements = REQUIREMENTS[peer]
    folder = environments / requirements[0].replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        _say(f"installing {' '.join(requirements)} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True)  # noqa: S603
        (folder / "ready").touch()
    return python


def _compete(workload: str, kind: str, pythons: dict[str, Path], args: argparse.Namespace) -> dict[str, Any]:
    _say(f"{workload}, class {kind}")
    players = [
        Contestant(name, kind, workload, python, args.threads)
        for name, python in pythons.items()
        if kind in PLAYS[name]
    ]
    try:
        made_of = {player.name: player.ask("1") | player.ask("count") for player in players}
        for turn in range(args.rounds):
            for player in players if turn % 2 else players[::-1]:
                player.rounds.append(player.ask(str(WORKLOADS[workload].updates)))
    finally:
        for player in players:
            player.close()
    found = {player.name: made_of[player.name] | _summary(player, players[0]) for player in players}
    sys.stderr.write(table({workload: {kind: found}}))  # so that a run that is cut short is not lost
    return found


def _summary(player: Contestant, first: Contestant) -> dict[str, Any]:
    """Medians over rounds, and how many times as fast as it the first one is, by CPU time and by the clock."""
    found: dict[str, Any] = {"peak_mib": player.rounds[-1]["peak_mib"]}
    for clock in ("seconds", "cpu_seconds"):
        own, best = _medians(player.rounds, clock), _medians(first.rounds, clock)
        found[clock], found[f"least_{clock}"] = statistics.median(own), min(own)
        found[f"ratio_{clock}"] = sorted(theirs / ours for theirs, ours in zip(own, best, strict=True))
    return found


def _medians(rounds: Sequence[dict[str, Any]], clock: str) -> list[float]:
    return [statistics.median(answer[clock]) for answer in rounds]


def _say(what: str) -> None:
    sys.stderr.write(f"{what} (load {os.getloadavg()[0]:.1f})\n")


if __name__ == "__main__":
    main()
