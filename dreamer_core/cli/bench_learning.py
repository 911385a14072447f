"""`dreamgate bench learning`: how soon a preset solves its task on every seed, and whether it keeps it."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dreamer_core.bench.learning import Goal, Learned
from dreamer_core.cli import options
from dreamer_core.config import load_config
from dreamer_core.errors import OK, RED, UsageError

_OPTION_FOR = {
    "seed": "--seeds",
    "preset": "--preset",
    "algo.total_steps": "--by and --keep",
    "steps": "--by and --keep",
    "eval.every": "--look and --every",
}


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "bench-learning",
        help="measure how soon a preset learns its task on every seed, and whether it keeps it",
        description="Trains each seed and writes learning.md, learning.json and, with the extra viz, learning.png. "
        "Started again with the same output, it goes on where it was. Ends with 0 if every seed reached the goal, and "
        "with 1 if not.",
    )
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="what to change in the preset")
    parser.add_argument("--preset", default="cartpole", help="default cartpole")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="seeds 0 to N - 1 (default 10)")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time (default 1)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default runs/learning-PRESET")
    goal = parser.add_argument_group("the goal")
    goal.add_argument("--level", type=float, default=475.0, help="mean return that counts as solved (default 475)")
    goal.add_argument("--by", type=int, default=2500, metavar="STEPS", help="solved by then (default 2500)")
    goal.add_argument("--cpu-minutes", type=float, default=2.0, help="and with so much work (default 2)")
    goal.add_argument("--keep", type=int, default=50_000, metavar="STEPS", help="kept for so long (default 50000)")
    goal.add_argument("--floor", type=float, default=400.0, help="a miss is not below (default 400)")
    goal.add_argument("--look", type=int, default=500, metavar="STEPS", help="between evaluations till then (500)")
    goal.add_argument("--every", type=int, default=2500, metavar="STEPS", help="between those after it (default 2500)")
    goal.add_argument("--episodes", type=int, default=100, help="greedy episodes in each (default 100)")
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    _check(args)
    goal = Goal(
        level=args.level,
        by_env_steps=args.by,
        cpu_s=60 * args.cpu_minutes,
        keep_env_steps=args.keep,
        every=args.every,
        floor=args.floor,
    )
    words = [f"preset={args.preset}", f"eval.episodes={args.episodes}", "eval.greedy=true", *args.words]
    load_config([*words, "seed=0"])  # must be right before the first one starts
    folder = args.output or Path("runs") / f"learning-{args.preset}"
    rows = _train_all(args, words, folder, goal)
    _write(rows, goal, words, folder, as_json=args.json)
    return OK if all(row.is_soon(goal) and row.is_kept(goal) for row in rows) else RED


def _check(args: argparse.Namespace) -> None:
    for option in ("seeds", "jobs", "by", "look", "every", "episodes"):
        if (given := getattr(args, option)) < 1:
            raise UsageError(f"--{option} must be at least 1, got {given}")
    if args.every % args.look:
        raise UsageError(f"--every must be a multiple of --look, got {args.every} and {args.look}")
    for word in args.words:
        if instead := _OPTION_FOR.get(word.partition("=")[0]):
            raise UsageError(f"{word}: say it with {instead}")


def _train_all(args: argparse.Namespace, words: list[str], folder: Path, goal: Goal) -> list[Learned]:
    from dreamer_core.bench import learning, learning_runs, learning_table
    from dreamer_core.runs.folder import RunFolder

    stages = [
        learning_runs.Stage(env_steps=args.by, evaluate_every=args.look),
        learning_runs.Stage(env_steps=args.by + args.keep, evaluate_every=args.every),
    ]
    learning_runs.refuse_others(folder, [*words, *(word for stage in stages for word in stage.words)])

    def one(seed: int) -> Learned:
        home = RunFolder(folder / f"seed-{seed}")
        error = learning_runs.train(seed, words, stages, home)
        row = learning.learned(seed, learning.evaluations(learning_runs.records(home), args.look), goal, error)
        if not args.json:
            print(learning_table.line(row, goal), flush=True)
        return row

    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        return list(pool.map(one, range(args.seeds)))


def _write(rows: list[Learned], goal: Goal, words: list[str], folder: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from dreamer_core.bench import learning_table
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.viz import lines

    found = {"words": words, "goal": asdict(goal), "seeds": [asdict(row) for row in rows]}
    write_json(folder / "learning.json", found)
    (folder / "learning.md").write_text(learning_table.table(rows, goal))
    if lines.can_draw():
        drawn = [
            lines.Line(
                env_steps=[one.env_steps for one in row.seen],
                scores=[one.score for one in row.seen],
                is_lost=row.is_kept(goal) is False,
            )
            for row in rows
        ]
        lines.write(drawn, goal.level, goal.by_env_steps, folder / "learning.png")
    print(dumps({"type": "result", **found}) if as_json else f"{learning_table.summary(rows, goal)}\n{folder}")
