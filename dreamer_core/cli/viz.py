"""`dreamgate viz`: what the world model sees, and what it dreams."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options
from dreamer_core.config import Config
from dreamer_core.config.checks import MAX_SEED
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.models.agent import Agent


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "viz",
        help="show a world model's reconstructions and dreams",
        description="Plays one episode and films it: real, reconstructed, imagined from --context on, and the error. "
        "Pixels become a video, vectors become plots; both as mp4 and gif, plots as png too.",
    )
    options.add_checkpoint(parser)
    parser.add_argument("--context", type=int, default=5, help="moments seen before the dream begins (default 5)")
    parser.add_argument("--horizon", type=int, default=45, help="moments dreamt after that, at most (default 45)")
    parser.add_argument("--seed", type=int, default=0, help="of the episode (default 0)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to (default: videos/ beside the checkpoints)")
    options.add_into(parser)
    options.add_device(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not 0 <= args.seed <= MAX_SEED:
        raise UsageError(f"--seed must be from 0 to {MAX_SEED}, got {args.seed}")
    if min(args.context, args.horizon) < 1:
        raise UsageError(f"--context and --horizon must be at least 1, got {args.context} and {args.horizon}")
    options.check_outputs(folder=args.output)
    if args.output is not None and args.into is not None:
        raise UsageError("--into has a place for the files of its own: leave out --output")
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.recording import recording
    from dreamer_core.training import checkpoint
    from dreamer_core.training.run import agent_from, device_name

    step = checkpoint.resolve(args.checkpoint)
    agent, config = agent_from(step, args.device)
    device = device_name(config)
    with nullcontext() if args.into is None else recording(args.into, config, "viz", device=device) as run:
        folder = args.output or (step.parent.parent / "videos" if run is None else run.videos)
        written = _film(args, agent, config, folder, step.name)
    for path in written:
        print(dumps({"type": "file", "path": str(path)}) if args.json else path)
    return 0


def _film(args: argparse.Namespace, agent: "Agent", config: Config, folder: Path, name: str) -> list[Path]:
    from dreamer_core.rng import make_generator
    from dreamer_core.viz.dream import dream_clip
    from dreamer_core.viz.files import write_dream

    generator = make_generator(args.seed, next(agent.parameters()).device)
    clip = dream_clip(agent, config, args.seed, args.context, args.horizon, generator)
    return write_dream(folder, clip, f"{name}_seed{args.seed}")
