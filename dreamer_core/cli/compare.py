"""`dreamgate compare`: runs and seed groups of a server side by side, against a baseline."""

import argparse
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dreamer_core.remote.compare_shapes import ComparedMetric, ComparedValue, Comparison, Side

_SIGNS = {"better": "▲", "worse": "▼", "close": "≈", "changed": "◆"}


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="put runs and seed groups beside a baseline",
        description="Who is ahead, by how much, and what may not be compared: ▲ better, ▼ worse, ≈ close (within the "
        "baseline's threshold), ◆ changed (neither way is better). It judges nothing: `dreamgate gate` does.",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="ids of runs")
    parser.add_argument("--group", action="append", default=[], metavar="HASH", help="a seed group; may be repeated")
    parser.add_argument(
        "--baseline",
        metavar="NAME[@N]",
        help="default: of those of the first side's family, the one with the most seeds",
    )
    parser.add_argument("--no-baseline", action="store_const", const="", dest="baseline", help="beside none")
    parser.add_argument("--metrics", metavar="K1,K2", help="default: the usual ones")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    groups = [group for word in args.group for group in server_options.commas(word)]
    if not args.runs and not groups:
        raise UsageError("say what to compare: ids of runs, --group HASH, or both")
    with server_options.open_client(args) as client:
        found = client.compare(
            args.runs, groups=groups, baseline=args.baseline, metrics=server_options.commas(args.metrics)
        )
    _print_json(found) if args.json else _print_table(found)
    return OK


def _print_json(found: "Comparison") -> None:
    from dataclasses import asdict

    from dreamer_core.metrics.jsonsafe import dumps

    print(dumps({"type": "comparison", **{key: value for key, value in asdict(found).items() if key != "bands"}}))


def _print_table(found: "Comparison") -> None:
    from rich.markup import escape
    from rich.table import Table

    from dreamer_core.cli.tables import make_console

    table = Table("metric", "side", "n", "median", "low … high", "beside the baseline", title=_title(found))
    for column in (2, 3, 4):
        table.columns[column].justify = "right"
    for column in (0, 2, 3):  # a name or a number is whole, or it is another one
        table.columns[column].no_wrap = True
        table.columns[column].overflow = "fold"
    table.columns[1].min_width = max(
        (len(f"({side.id})") for side in found.sides), default=0
    )  # whole too, below its name
    for metric in found.metrics:
        for row in _rows(found, metric):
            table.add_row(*map(escape, row))
        table.add_section()
    console = make_console()
    console.print(table)
    for side in found.sides:
        for note in _notes(side):
            console.print(f"{side.name} ({side.id}): {note}", markup=False)


def _title(found: "Comparison") -> str:
    before = found.baseline
    beside = "" if before is None else f", beside {before.name} v{before.version}"
    flags = "" if before is None or not before.flags else f" ({', '.join(before.flags).replace('_', ' ')})"
    return f"{found.window}{beside}{flags}"


def _rows(found: "Comparison", metric: "ComparedMetric") -> "Iterator[tuple[str, ...]]":
    from dreamer_core.cli.amounts import count

    arrow = {"higher": " ↑", "lower": " ↓"}.get(metric.direction, "")
    name = f"{metric.key}{arrow}"
    if found.baseline is not None:
        yield name, "baseline", str(found.baseline.seeds), count(metric.baseline), "", ""
        name = ""
    for side in found.sides:
        value = side.values[metric.key]
        spread = "" if value.low is None else f"{count(value.low)} … {count(value.high)}"
        label = f"{side.name} ({side.id})"
        yield name, label, str(side.seeds), count(value.median), spread, _beside(value)
        name = ""


def _beside(value: "ComparedValue") -> str:
    """The word, its sign and the difference; of a running side, where it is."""
    from dreamer_core.cli.amounts import count

    parts = []
    if value.why:
        parts.append("not comparable" if value.why.startswith("not comparable") else value.why)
    elif value.word in _SIGNS:
        parts.append(f"{_SIGNS[value.word]} {value.word}{'' if value.relative is None else f' {value.relative:+.1%}'}")
    if value.now_share is not None:
        parts.append(f"{value.now_share:.0%} of the baseline at step {count(value.now_step)}")
    return ", ".join(parts)


def _notes(side: "Side") -> "Iterator[str]":
    if side.family.differs:
        yield side.family.differs
    if side.testbed.differs:
        yield f"another testbed: {side.testbed.differs}"
