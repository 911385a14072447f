"""`dreamgate gate`: is this run as good as the baseline? An answer, its reasons, and an exit code."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import gate_server, options
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.gates import Baseline, Evidence, Gate, GateResult


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "gate",
        help="judge a run or a seed group",
        description="Exit codes: 0 green, 1 red, 2 called wrong, 3 cannot tell, 4 broke.",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    compare = parts.add_parser(
        "compare",
        help="judge files by a baseline, or by a gate of your own",
        description="Without --gate: the median of every metric of the baseline must stay within its threshold, in "
        "the direction that is better for it. Exit codes: 0 green, 1 red, 2 called wrong, 3 cannot tell, 4 broke.",
    )
    compare.add_argument(
        "--input", type=Path, nargs="+", required=True, metavar="PATH", help="run folders, metrics.jsonl, or JSON"
    )
    compare.add_argument("--baseline", type=Path, metavar="FILE.json", help="what `dreamgate baseline capture` wrote")
    compare.add_argument("--gate", type=Path, metavar="FILE.yaml", help="a list of checks instead of the thresholds")
    compare.add_argument("--threshold-pct", type=float, metavar="SHARE", help="instead of the baseline's")
    compare.add_argument("--abs-tol", type=float, metavar="X", help="instead of the baseline's")
    compare.add_argument("--last", type=int, metavar="N", help="only the last N records of the baseline's steps")
    compare.add_argument("--n-min", type=int, metavar="N", help="values a run needs (default 3, of a summary 1)")
    compare.add_argument("--two-sided", action="store_true", help="a change for the better fails too")
    compare.add_argument("--history", type=Path, metavar="FILE.json", help="for change_point: {metric: [values]}")
    options.add_json(compare)
    compare.set_defaults(run=run)
    gate_server.add_parts(parts)


def run(args: argparse.Namespace) -> int:
    from dreamer_core.cli.baseline import read_baseline
    from dreamer_core.gates import evaluate, exit_code

    if args.baseline is None and args.gate is None:
        raise UsageError("say what to judge by: --baseline FILE.json, --gate FILE.yaml, or both")
    gate = _gate(args)
    baseline = None if args.baseline is None else read_baseline(args.baseline)
    result = evaluate(gate, _evidence(args, baseline))
    code = exit_code(result.verdict)
    _show(args, result, baseline, code)
    return code


def _gate(args: argparse.Namespace) -> "Gate":
    from dreamer_core.cli.gate_inputs import read_text
    from dreamer_core.errors import ConfigError
    from dreamer_core.gates import Gate, Window, gate_from_yaml
    from dreamer_core.gates.checks import ThresholdMedian

    if args.gate is None:
        check = ThresholdMedian(
            threshold_pct=args.threshold_pct,
            abs_tol=args.abs_tol,
            n_min=args.n_min,
            two_sided=args.two_sided,
            window=Window(last=args.last),
        )
        return Gate(name="compare", checks=(check,))
    if args.two_sided or {args.threshold_pct, args.abs_tol, args.last, args.n_min} != {None}:
        raise UsageError("with --gate, thresholds and windows stand in its file: leave the options out")
    try:
        return gate_from_yaml(read_text(args.gate))
    except ConfigError as error:
        raise UsageError(f"{args.gate}: {error}") from None


def _evidence(args: argparse.Namespace, baseline: "Baseline | None") -> "Evidence":
    from dreamer_core.cli.gate_inputs import read_group, read_object
    from dreamer_core.gates import Evidence, SeedGroup
    from dreamer_core.gates.posted import history_from, parity_from

    trees = {path: read_object(path) for path in args.input if path.suffix == ".json" and path.is_file()}
    parity = {path: tree["parity"] for path, tree in trees.items() if isinstance(tree.get("parity"), list)}
    others = [path for path in args.input if path not in parity]
    return Evidence(
        candidate=read_group(others) if others else SeedGroup(runs=()),
        baseline=baseline,
        history={} if args.history is None else history_from(read_object(args.history), str(args.history)),
        parity=tuple(case for path, cases in parity.items() for case in parity_from(cases, str(path))),
    )


def _show(args: argparse.Namespace, result: "GateResult", baseline: "Baseline | None", code: int) -> None:
    from dreamer_core.gates import seed_report, to_plain
    from dreamer_core.metrics.jsonsafe import dumps

    if args.json:
        report = {} if baseline is None else seed_report(result, baseline)
        print(dumps({"ok": result.verdict.is_green, **report, **to_plain(result), "exit_code": code}))
        return
    for one in result.results:
        warning = " (warning)" if one.is_warning else ""
        print(f"{one.verdict.shape} {one.verdict:<12} {one.check}{warning}: {one.reason}")
    for note in result.notes:
        print(f"note: {note}")
    against = f" against {result.baseline}" if result.baseline else ""
    print(f"{result.verdict.shape} {result.gate} v{result.version}{against}: {result.reason}")
