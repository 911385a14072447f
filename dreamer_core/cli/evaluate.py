"""`dreamgate eval`: play a checkpoint on a fixed cohort of episodes."""

import argparse
from pathlib import Path
from typing import Any

from dreamer_core.cli import options
from dreamer_core.errors import UsageError


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "eval",
        help="play a checkpoint on a fixed cohort of episodes",
        description="Always the same episodes, always the checkpoint's own config. --greedy takes the most likely "
        "latent and the most likely action: the same checkpoint gives the same numbers twice.",
    )
    options.add_checkpoint(parser)
    parser.add_argument("--episodes", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--greedy", action="store_true", help="no randomness at all")
    parser.add_argument(
        "--seed", type=int, default=None, metavar="BASE", help="first seed of the cohort (default: config)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="write the summary")
    parser.add_argument("--trajectory", type=Path, metavar="FILE.jsonl", help="write every step, as it happens")
    options.add_device(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.episodes < 1:
        raise UsageError(f"--episodes must be at least 1, got {args.episodes}")
    options.check_outputs(files=[args.output, args.trajectory])
    from rich.console import Console

    from dreamer_core.cli.progress import eval_table
    from dreamer_core.config.identity import describe
    from dreamer_core.evaluation.play import play_cohort
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.training.run import agent_from

    agent, config = agent_from(args.checkpoint, args.device)
    summary = play_cohort(
        agent,
        config,
        episodes=args.episodes,
        greedy=args.greedy,
        seed_base=config.eval.seed_base if args.seed is None else args.seed,
        trajectory=args.trajectory,
    )
    found = {**summary, "checkpoint": str(args.checkpoint), **describe(config)}
    if args.output is not None:
        write_json(args.output, found)
    if args.json:
        print(dumps(found))
    else:
        kind = "Greedy" if args.greedy else "Sampled"
        console = Console()
        console.print(f"{kind} evaluation of {args.checkpoint}", soft_wrap=True, highlight=False)
        console.print(eval_table(summary))
    return 0
