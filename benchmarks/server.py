"""How fast the server takes points in, draws curves and lists runs; beside MLflow and Trackio in the same run.

    python benchmarks/server.py                            Dreamgate alone, some two minutes
    python benchmarks/server.py --peers mlflow,trackio     with both, each in an environment of its own (made once)

Each measure is taken for one tool after the other, in several rounds, so that a busy moment of the machine meets all of
them; the medians are kept. Prints a table; writes all numbers as JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import server_measures as measures
import server_report as report
from server_measures import Bench
from server_process import Server
from server_scenarios import Measure, Scenarios
from server_tools import ROOT, Dreamgate, Mlflow, Tool, Trackio

PEERS: dict[str, tuple[str, Callable[[Path], Tool]]] = {
    "mlflow": ("mlflow==3.17.2", Mlflow),
    "trackio": ("trackio==0.43.0", Trackio),
}
Measured = dict[str, dict[str, Any]]


def main() -> None:
    args = _arguments()
    facts = {**report.machine(ROOT), "command": " ".join(sys.argv), "runs": args.runs, "peer_runs": args.peer_runs}
    tools: list[Tool] = [Dreamgate(), *(_peer(name, args.environments) for name in args.peers)]
    with tempfile.TemporaryDirectory() as folder:
        results = _measure(tools, Path(folder), args)
    facts["load_after"] = os.getloadavg()[0]
    sys.stdout.write(report.table(results, tools[0].name))
    sys.stdout.write(json.dumps(facts) + "\n")
    if args.out:
        args.out.write_text(json.dumps({"machine": facts, "results": results}, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=_names, default=[], help="mlflow, trackio, with commas between")
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "dreamgate-benchmarks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--batches", type=int, default=200, help="of 1,000 points for each writer; fewer for peers that are slow"
    )
    parser.add_argument("--runs", type=int, default=10_000, help="in Dreamgate's list of runs")
    parser.add_argument("--peer-runs", type=int, default=1_000, help="in the lists of peers, which are slow to fill")
    parser.add_argument("--points", type=int, default=10_000_000, help="of the longest series; Dreamgate's alone")
    parser.add_argument("--out", type=Path, help="where to write the numbers as JSON")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PEERS)}")
    return names


def _peer(name: str, environments: Path) -> Tool:
    """Made where there is none yet: minutes."""
    requirement, kind = PEERS[name]
    folder = environments / requirement.replace("==", "-")
    if not (folder / "ready").exists():
        _say(f"installing {requirement} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", requirement], check=True)  # noqa: S603
        (folder / "ready").touch()
    return kind(folder)


def _measure(tools: Sequence[Tool], folder: Path, args: argparse.Namespace) -> Measured:
    results: Measured = {tool.name: {"start": _cold_start(tool, folder, args.rounds)} for tool in tools}
    servers = {tool.name: tool.start(folder / tool.name) for tool in tools}
    try:
        _settle(list(servers.values()))
        benches = [Bench(tool, servers[tool.name], tool.connect(servers[tool.name])) for tool in tools]
        for bench in benches:
            results[bench.tool.name]["idle"] = vars(bench.server.usage())
        for name, measure in Scenarios(args, Dreamgate.name).all().items():
            _say(name)
            _take(name, measure, benches, results, args.rounds)
        for bench in benches:
            results[bench.tool.name]["after"] = vars(bench.server.usage())
    finally:
        for server in servers.values():
            server.stop()
    return results


def _cold_start(tool: Tool, folder: Path, rounds: int) -> dict[str, float]:
    """On a database that is there already; the first start, which makes it, is told apart."""
    _say(f"start {tool.name}")
    times = []
    for _ in range(rounds + 1):
        server = tool.start(folder / f"start-{tool.name}")
        times.append(server.start_s)
        server.stop()
    return {"seconds": statistics.median(times[1:]), "first_seconds": times[0]}


def _settle(servers: Sequence[Server]) -> None:
    """Some go on starting for a while after their first answer: wait until all are quiet, at most two minutes."""
    deadline = time.monotonic() + 120
    before = sum(server.usage().cpu_s for server in servers)
    while time.monotonic() < deadline:
        time.sleep(3)
        now = sum(server.usage().cpu_s for server in servers)
        if now - before < 0.3:
            return
        before = now


def _take(name: str, measure: Measure, benches: Sequence[Bench], results: Measured, rounds: int) -> None:
    taken: dict[str, list[dict[str, float]]] = {bench.tool.name: [] for bench in benches}
    for _ in range(rounds):
        for bench in benches:
            found = measure(bench)
            if found is not None:
                taken[bench.tool.name].append(found)
    for tool, found_in_rounds in taken.items():
        results[tool][name] = measures.medians(found_in_rounds) if found_in_rounds else None


def _say(what: str) -> None:
    sys.stderr.write(f"{what} (load {os.getloadavg()[0]:.1f})\n")


if __name__ == "__main__":
    main()
