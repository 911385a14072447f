"""`dreamgate sweep`: a grid of runs, with seeds as one of its axes."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options
from dreamer_core.config import load_config
from dreamer_core.errors import BROKE, OK, UsageError
from dreamer_core.program import command
from dreamer_core.sweep.grid import expand

if TYPE_CHECKING:
    from dreamer_core.sweep.runner import Outcome


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "sweep",
        help="run a grid of configurations and seeds",
        description="Commas make a grid: dreamgate sweep preset=cartpole lr=1e-4,4e-4 seed=0,1,2",
    )
    parser.add_argument("words", nargs="+", metavar="KEY=VALUE[,VALUE...]")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, one thread each (default 1)")
    parser.add_argument("--dry-run", action="store_true", help="list the runs and start none")
    options.add_runs(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {args.jobs}")
    if not any(word.startswith("preset=") for word in args.words):
        raise UsageError(f"choose what to train: preset=NAME (`{command('presets')}` lists them)")
    points = expand(args.words)
    for point in points:
        load_config(point.words)  # every run of the grid must be right before the first one starts
    if args.dry_run:
        for point in points:
            print(" ".join(point.words))
        return OK
    return _run_all(args, points)


def _run_all(args: argparse.Namespace, points: list[Any]) -> int:
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.sweep.runner import group_by_variant, run_points

    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    path = args.runs / "sweeps" / f"{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not args.json:
        print(f"{len(points)} runs, {args.jobs} at a time; each is told when it ends", flush=True)
    outcomes = run_points(points, (), args.runs, jobs=args.jobs, on_done=lambda done: _say(done, as_json=args.json))
    rows = group_by_variant(outcomes)
    write_json(path, {"words": args.words, "variants": rows})
    if args.json:
        print(dumps({"type": "result", "sweep": str(path), "variants": rows}))
    else:
        _show(rows)
        print(f"Sweep: {path}")
    return BROKE if any(row["failed"] for row in rows) else OK


def _say(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        return
    score = "no score" if outcome.mean_return is None else f"mean return {outcome.mean_return:.1f}"
    print(f"{' '.join(outcome.point.words)}: {outcome.error or score}", flush=True)


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from dreamer_core.cli.tables import make_console

    table = Table("variant", "n", "mean return", "min", "max", "failed", title="Sweep, by variant")
    for row in rows:
        variant = " ".join(f"{key}={value}" for key, value in row["variant"].items()) or "all"
        cells = ["–" if row[key] is None else f"{row[key]:.1f}" for key in ("mean_return", "min", "max")]
        table.add_row(variant, str(row["n"]), *cells, str(row["failed"]))
    make_console().print(table)
