"""`dreamgate bench`: how fast a configuration trains on this machine."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options
from dreamer_core.config import Config
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.runs.folder import RunFolder


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure how fast a preset trains here",
        description="Environment steps and updates per second, and the time of each phase (p50, p95).",
    )
    options.add_config(parser)
    parser.add_argument("--updates", type=int, default=20, help="how many are measured, twice (default 20)")
    parser.add_argument("--warmup", type=int, default=5, help="how many come before and do not count (default 5)")
    parser.add_argument("--laps", type=int, default=10, help="parts that are timed each by itself (default 10)")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="write the numbers")
    options.add_into(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    for option, least in (("updates", 1), ("warmup", 0), ("laps", 1)):
        if (given := getattr(args, option)) < least:
            raise UsageError(f"--{option} must be at least {least}, got {given}")
    options.check_outputs(files=[args.output])
    config = options.read_config(args)
    if config.algo.replay_ratio == 0:
        raise UsageError("algo.replay_ratio is 0: there would be no update to measure")
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.runs.recording import recording
    from dreamer_core.training.run import device_name

    device = device_name(config)
    with nullcontext() if args.into is None else recording(args.into, config, "bench", device=device) as folder:
        found = _measure(args, config)
        if folder is not None:
            _keep(folder, found)
    if args.output is not None:
        write_json(args.output, found)
    if args.json:
        print(dumps(found))
    else:
        _show(found)
    return 0


def _measure(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from dreamer_core.bench.throughput import measure

    console = Console(stderr=True)
    with Progress(console=console, disable=args.json) as bar:
        task = bar.add_task("measuring", total=2 * args.updates)
        return measure(
            config,
            updates=args.updates,
            warmup=args.warmup,
            laps=args.laps,
            on_update=lambda done: bar.update(task, completed=done),
        )


def _keep(folder: "RunFolder", found: dict[str, Any]) -> None:
    """A record for each lap; the last one says what is known of all of them together."""
    from dreamer_core.runs.atomic import write_json
    from dreamer_core.runs.recording import record

    write_json(folder.path / "bench.json", found)
    for number, lap in enumerate(found["laps"], start=1):
        numbers = {name: lap[name] for name in ("sps", "train_sps", "overlap_eff")}
        numbers |= {f"bench/{name}": lap[name] for name in ("updates_per_s", "collect_share")}
        numbers |= _whole(found) if number == len(found["laps"]) else {}
        steps = {name: lap[name] for name in ("env_steps", "train_steps", "wall_time_s")}
        record(folder, numbers, **steps)


def _whole(found: dict[str, Any]) -> dict[str, float]:
    numbers = {name: found[name] for name in ("replay_ratio", "replay_ratio_target", "replay_size")}
    numbers |= {"bench/peak_memory_mib": found["peak_memory_mib"]}
    for phase, times in found["phases_ms"].items():
        numbers |= {f"bench/{phase}_ms_{share}": times[share] for share in ("p50", "p95")}
    return numbers


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("phase", "p50 ms", "p95 ms", title=f"{found['preset']} on {found['testbed']['cpu']}")
    for name, times in found["phases_ms"].items():
        table.add_row(name, f"{times['p50']:.2f}", f"{times['p95']:.2f}")
    console = Console()
    console.print(table)
    console.print(
        f"{found['updates_per_s']:.2f} updates/s · {found['sps']:.1f} env steps/s · "
        f"collection {found['collect_share']:.1%} of the time · peak {found['peak_memory_mib']:.0f} MiB · "
        f"testbed {found['testbed']['fingerprint']}",
        soft_wrap=True,
    )
