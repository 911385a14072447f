"""`dreamgate eval`: play a checkpoint on a fixed cohort of episodes."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options
from dreamer_core.config import Config
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.models.agent import Agent
    from dreamer_core.runs.folder import RunFolder


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
    options.add_into(parser)
    options.add_device(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.episodes < 1:
        raise UsageError(f"--episodes must be at least 1, got {args.episodes}")
    options.check_outputs(files=[args.output, args.trajectory])
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.runs.recording import recording
    from dreamer_core.training import checkpoint
    from dreamer_core.training.run import agent_from, device_name

    step = checkpoint.resolve(args.checkpoint)
    agent, config = agent_from(step, args.device)
    device = device_name(config)
    with nullcontext() if args.into is None else recording(args.into, config, "eval", device=device) as folder:
        found = _play(args, step, agent, config)
        if folder is not None:
            _keep(folder, found)
    if args.output is not None:
        write_json(args.output, found)
    if args.json:
        print(dumps(found))
    else:
        _show(args, found)
    return 0


def _play(args: argparse.Namespace, step: Path, agent: "Agent", config: Config) -> dict[str, Any]:
    from dreamer_core.config.identity import describe
    from dreamer_core.evaluation.play import play_cohort
    from dreamer_core.training.checkpoint_files import read_seal

    summary = play_cohort(
        agent,
        config,
        episodes=args.episodes,
        greedy=args.greedy,
        seed_base=config.eval.seed_base if args.seed is None else args.seed,
        trajectory=args.trajectory,
    )
    seal, _ = read_seal(step)
    steps = {"env_steps": seal.env_steps, "train_steps": seal.train_steps}
    return {**summary, "checkpoint": str(args.checkpoint), **steps, **describe(config)}


def _keep(folder: "RunFolder", found: dict[str, Any]) -> None:
    from dreamer_core.evaluation.summary import scores
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.runs.recording import record

    env_steps, train_steps = found["env_steps"], found["train_steps"]
    write_json(folder.eval / f"step_{env_steps:012d}.json", found)
    numbers = scores(found) | {"wall_time_s": found["wall_time_s"]}
    record(folder, numbers, env_steps=env_steps, train_steps=train_steps)


def _show(args: argparse.Namespace, found: dict[str, Any]) -> None:
    from rich.console import Console

    from dreamer_core.cli.progress import eval_table

    kind = "Greedy" if args.greedy else "Sampled"
    console = Console()
    console.print(f"{kind} evaluation of {args.checkpoint}", soft_wrap=True, highlight=False)
    console.print(eval_table(found))
