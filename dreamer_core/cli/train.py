"""`dreamgate train`: start a run, or go on with one."""

import argparse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import dry_run, options
from dreamer_core.config import Config
from dreamer_core.errors import Stopped, UsageError
from dreamer_core.program import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dreamer_core.cli.progress import BarReporter, JsonReporter
    from dreamer_core.runs.folder import RunFolder


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "train",
        help="train an agent",
        description="Train an agent, e.g.: dreamgate train preset=cartpole seed=1. "
        "Ctrl-C saves the state first; --resume goes on as if nothing had happened.",
    )
    options.add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="print what the run would be, and write nothing")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with this run; only run.*, eval.*, steps=, device= change"
    )
    parser.add_argument("--checkpoint", type=Path, metavar="PATH", help="mode dreamer: the world model to begin from")
    options.add_runs(parser)
    options.add_into(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.resume is not None:
        return _resume(args)
    config = options.read_config(args)
    if args.dry_run:
        dry_run.show(config, as_json=args.json)
        return 0
    from dreamer_core.training.run import start_run

    with _way_back(args), _reporter(args.json, config.algo.total_steps) as reporter:
        folder = start_run(config, args.runs, reporter, source=args.checkpoint, into=args.into)
    _show_result(folder, config, as_json=args.json)
    return 0


def _resume(args: argparse.Namespace) -> int:
    if args.dry_run or args.config or args.mode or args.checkpoint or args.into:
        raise UsageError(
            "--resume goes on with a run's own config, where it lies: "
            "leave out --dry-run, --config, --mode, --checkpoint, --into"
        )
    from dreamer_core.training.run import resume_run, resumed_config

    config = resumed_config(args.resume, args.words)
    with _way_back(args), _reporter(args.json, config.algo.total_steps) as reporter:
        folder = resume_run(args.resume, args.words, reporter)
    _show_result(folder, config, as_json=args.json)
    return 0


@contextmanager
def _way_back(args: argparse.Namespace) -> "Iterator[None]":
    """For people: a program, such as a worker, has its own way to go on, and its log must not name another."""
    try:
        yield
    except Stopped as stopped:
        if stopped.folder is not None and not args.json:
            stopped.add_note(f"go on with: {command(f'train --resume {stopped.folder}')}")
        raise


def _reporter(as_json: bool, total: int) -> "BarReporter | JsonReporter":
    from dreamer_core.cli.progress import BarReporter, JsonReporter

    return JsonReporter() if as_json else BarReporter(total)


def _show_result(folder: "RunFolder", config: Config, *, as_json: bool) -> None:
    from rich.console import Console

    from dreamer_core.cli.progress import eval_table
    from dreamer_core.evaluation.play import latest_summary
    from dreamer_core.metrics.jsonsafe import dumps

    summary = latest_summary(folder.eval)
    if as_json:
        print(dumps({"type": "result", "run": str(folder.path), "eval": summary}))
        return
    console = Console()
    if summary is not None:
        kind = "Greedy" if summary["greedy"] else "Sampled"
        console.print(f"{kind} evaluation at {summary['env_steps']:,} environment steps", highlight=False)
        console.print(eval_table(summary))
    console.print(f"Run: {folder.path}", soft_wrap=True)
    console.print(f"Next: {command(_next_command(folder, config))}", soft_wrap=True)


def _next_command(folder: "RunFolder", config: Config) -> str:
    if config.mode in ("train", "dreamer"):
        return f"eval --checkpoint {folder.path} --greedy --episodes 100"
    return f"viz --checkpoint {folder.path}"  # there is a world model to look at, and no actor to score
