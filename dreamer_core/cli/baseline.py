"""`dreamgate baseline`: freeze what a run or a seed group scored, export it, and compare two versions."""

import argparse
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import baseline_server, options
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.gates import Baseline, Flag, SeedGroup


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "baseline",
        help="freeze what a run or a seed group scored",
        description="As files: capture, export, diff. On a server, for the team: bless, list, retire, restore.",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_capture(parts)
    export = parts.add_parser("export", help="write a baseline in the older format")
    export.add_argument("--baseline", type=Path, required=True, metavar="FILE.json")
    export.add_argument("--output", type=Path, required=True, metavar="FILE.json")
    options.add_json(export)
    export.set_defaults(run=run_export)
    compare = parts.add_parser("diff", help="what changed between two baselines")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    options.add_json(compare)
    compare.set_defaults(run=run_diff)
    baseline_server.add_parts(parts)


def _add_capture(parts: Any) -> None:
    parser = parts.add_parser(
        "capture",
        help="make a baseline from metrics or summaries",
        description="Lower medians over a window, per metric. Several inputs are the seeds of one group.",
    )
    parser.add_argument(
        "--input", type=Path, nargs="+", required=True, metavar="PATH", help="run folders, metrics.jsonl, or JSON"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.json", help="where the baseline goes")
    parser.add_argument("--keys", metavar="A,B", help="metrics (default: the 26 of training; of other tools all)")
    parser.add_argument("--env-steps-min", type=float, metavar="N", help="records from this step on")
    parser.add_argument("--env-steps-max", type=float, metavar="N", help="records up to this step")
    parser.add_argument("--last", type=int, metavar="N", help="of those, the last N records of each run")
    parser.add_argument("--threshold-pct", type=float, default=0.15, metavar="SHARE", help="0.15 is 15 %% (default)")
    parser.add_argument("--abs-tol", type=float, metavar="X", help="never counts (default 1e-6; of other tools 0)")
    parser.add_argument("--format", choices=("dreamgate", "seed"), default="dreamgate", help="seed: the older format")
    parser.add_argument("--name", default="", help="what it is called (default: the file)")
    parser.add_argument("--who", default=os.environ.get("USER", ""), help="who blesses it (default: $USER)")
    parser.add_argument("--why", default="", help="why; needed to replace a baseline by its next version")
    parser.add_argument(
        "--allow", default="", metavar="A,B", help="bless all the same: failed, unfinished, dirty, single_seed"
    )
    options.add_json(parser)
    parser.set_defaults(run=run_capture)


def run_capture(args: argparse.Namespace) -> int:
    options.check_outputs(files=[args.output])
    from dreamer_core.cli.gate_inputs import read_group
    from dreamer_core.gates import Blessing, Flag, Window, capture, refuse_unless_allowed, to_json, to_seed_json
    from dreamer_core.runs.atomic import write_text

    if not args.threshold_pct >= 0 or not (args.abs_tol or 0.0) >= 0:
        raise UsageError(f"--threshold-pct and --abs-tol are at least 0, got {args.threshold_pct} and {args.abs_tol}")
    group = read_group(args.input)
    blessing = Blessing(
        created_at=datetime.now(UTC).isoformat(),
        source=", ".join(map(str, args.input)),
        name=args.name or args.output.stem,
        who=args.who,
        why=args.why,
        threshold_pct=args.threshold_pct,
        abs_tol=_abs_tol(args.abs_tol, group),
        window=Window(env_steps_min=args.env_steps_min, env_steps_max=args.env_steps_max, last=args.last),
    )
    baseline = capture(group, _keys(args.keys, group), blessing)
    # A file is taken as the older tool takes it: one run, about which little is known. What is known still counts.
    of_a_file = {Flag.SINGLE_SEED} if any(path.is_file() for path in args.input) else set()
    refuse_unless_allowed(baseline, _allowed(args.allow) | of_a_file)
    baseline = _next_version(args.output, baseline)
    write_text(args.output, to_seed_json(baseline) if args.format == "seed" else to_json(baseline))
    _tell(args, baseline)
    return 0


def run_export(args: argparse.Namespace) -> int:
    options.check_outputs(files=[args.output])
    from dreamer_core.gates import to_seed_json
    from dreamer_core.runs.atomic import write_text

    write_text(args.output, to_seed_json(read_baseline(args.baseline)))
    print(json.dumps({"ok": True, "baseline": str(args.output)}) if args.json else f"Exported to {args.output}")
    return 0


def run_diff(args: argparse.Namespace) -> int:
    from dreamer_core.gates import diff
    from dreamer_core.metrics.jsonsafe import dumps

    found = diff(read_baseline(args.before), read_baseline(args.after))
    if args.json:
        print(dumps(asdict(found)))
        return 0
    from rich.table import Table

    from dreamer_core.cli.tables import make_console

    table = Table("", "before", "after", "", title=f"{found.before} -> {found.after}")
    for metric in found.metrics:
        relative = "" if metric.relative is None else f" {metric.relative:+.1%}"
        table.add_row(metric.key, _shown(metric.before), _shown(metric.after), f"{metric.change}{relative}")
    for fact in found.facts:
        table.add_row(fact.name, _shown(fact.before), _shown(fact.after), "differs")
    make_console().print(table)
    return 0


def read_baseline(path: Path) -> "Baseline":
    from dreamer_core.cli.gate_inputs import read_text
    from dreamer_core.gates import baseline_from_json

    return baseline_from_json(read_text(path), str(path))


def _keys(words: str | None, group: "SeedGroup") -> list[str]:
    from dreamer_core.metrics.names import BASELINE_KEYS

    if words is None:
        return group.keys if group.speed_keys else list(BASELINE_KEYS)
    keys = [word.strip() for word in words.split(",") if word.strip()]
    if not keys:
        raise UsageError("--keys must list at least one metric, with commas between them")
    return keys


def _abs_tol(said: float | None, group: "SeedGroup") -> float:
    """Benchmarks of other tools are in units of their own: a millionth of a second may be all of the time."""
    from dreamer_core.gates.baseline import ABS_TOL

    return (0.0 if group.speed_keys else ABS_TOL) if said is None else said


def _allowed(words: str) -> "frozenset[Flag]":
    from dreamer_core.gates.capture import NEED_CONSENT

    found = {word.strip() for word in words.split(",") if word.strip()}
    if unknown := sorted(found - NEED_CONSENT):
        raise UsageError(f"--allow knows {', '.join(sorted(NEED_CONSENT))}, got {', '.join(unknown)}")
    return frozenset(flag for flag in NEED_CONSENT if flag in found)


def _next_version(path: Path, baseline: "Baseline") -> "Baseline":
    """What is there already is a baseline, and is replaced only with a reason."""
    from dreamer_core.gates import replace_baseline

    return replace_baseline(read_baseline(path), baseline) if path.exists() else baseline


def _tell(args: argparse.Namespace, baseline: "Baseline") -> None:
    from dreamer_core.gates.words import count

    flags = sorted(baseline.flags)
    if args.json:
        print(json.dumps({"ok": True, "baseline": str(args.output), "version": baseline.version, "flags": flags}))
        if baseline.missing_keys:
            print(json.dumps({"missing_keys": list(baseline.missing_keys), "count": len(baseline.missing_keys)}))
        return
    steps = "" if baseline.env_steps_min is None else f", env steps {baseline.env_steps_min}..{baseline.env_steps_max}"
    size = f"{count(len(baseline.metrics), 'metric')} of {count(baseline.count, 'record')}"
    print(f"{args.output}: {baseline.title}, {size}{steps}")
    if baseline.missing_keys:
        print(f"  missing: {', '.join(baseline.missing_keys)}")
    if flags:
        print(f"  every verdict against it will say: {', '.join(flag.replace('_', ' ') for flag in flags)}")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
