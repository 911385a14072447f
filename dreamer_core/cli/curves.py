"""`dreamgate curves`: the numbers of runs as small drawings, or as they are, for programs."""

import argparse
import csv
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamer_core.remote import Client
    from dreamer_core.remote.numbers import Curve, Curves

_DRAWN = 40
_WIDE = 120
_KEYS_AT_ONCE = 50
_COLUMNS = ("x", "last", "min", "max", "count", "non_finite")


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "curves",
        help="draw the metrics of runs",
        description="One line for each run and key. --json and --csv have one entry for each bucket: last, min, max, "
        "how many points it has, and how many of those are NaN or infinite.",
    )
    server_options.add_run_ids(parser)
    parser.add_argument("--keys", metavar="K1,K2", help="default: all that the runs have")
    parser.add_argument("--points", type=int, metavar="N", help=f"buckets, 10 to 5,000 (default {_DRAWN}; files 1,000)")
    parser.add_argument("--from-step", type=int, metavar="STEP", help="from this environment step on")
    parser.add_argument("--to-step", type=int, metavar="STEP", help="up to this one")
    parser.add_argument("--csv", action="store_true", help="print rows of comma-separated values")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.csv and args.json:
        raise UsageError("--csv and --json are two ways to print the same: choose one")
    points = args.points or (1000 if args.csv or args.json else _drawn())
    with server_options.open_client(args) as client:
        keys = server_options.commas(args.keys) or _all_keys(client, args.run_ids)
        parts = [
            client.curves(args.run_ids, some, points, from_step=args.from_step, to_step=args.to_step)
            for some in (keys[first : first + _KEYS_AT_ONCE] for first in range(0, len(keys), _KEYS_AT_ONCE))
        ]
        if args.keys:
            _check(client, args.run_ids, keys, parts)
    if args.json:
        _print_json(parts)
    elif args.csv:
        _print_csv(parts)
    else:
        _print_table(parts)
    if args.keys:
        _tell_missing(parts)
    return 0


def _check(client: "Client", run_ids: "Sequence[str]", asked: "Sequence[str]", parts: "Sequence[Curves]") -> None:
    """A run may lack what the others have; what none of them has is a mistake."""
    if set(asked) - {curve.key for part in parts for curve in part.curves}:
        from dreamer_core.cli.known_keys import check_keys

        check_keys(asked, _all_keys(client, run_ids), run_ids)


def _all_keys(client: "Client", run_ids: "Sequence[str]") -> list[str]:
    return sorted({found.key for run_id in run_ids for found in client.keys(run_id)})


def _print_json(parts: "Sequence[Curves]") -> None:
    from dataclasses import asdict

    from dreamer_core.metrics.jsonsafe import dumps

    for part in parts:
        for curve in part.curves:
            print(dumps({"type": "curve", "axis": part.x, **asdict(curve)}))


def _print_csv(parts: "Sequence[Curves]") -> None:
    """What is missing is empty; NaN and infinities are nan, inf and -inf."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("run", "key", *_COLUMNS))
    for part in parts:
        for curve in part.curves:
            columns = (getattr(curve, name) for name in _COLUMNS)
            rows.writerows((curve.run, curve.key, *row) for row in zip(*columns, strict=True))


def _print_table(parts: "Sequence[Curves]") -> None:
    from dreamer_core.cli.tables import Column, Rows

    whole = (Column("run", is_whole=True), Column("key", is_whole=True), Column("curve", is_whole=True, leaves=1))
    numbers = (("last", 0), ("min", 2), ("max", 3), ("points", 4), ("not finite", 5))
    table = Rows((*whole, *(Column(name, is_number=True, leaves=leaves) for name, leaves in numbers)))
    for part in parts:
        for curve in part.curves:
            table.add(*_row(curve))
    table.show(empty="There are no such numbers.")


def _drawn() -> int:
    """Fewer bars where the terminal is narrow: the keys and the numbers need their place."""
    return _DRAWN if not sys.stdout.isatty() or get_terminal_size().columns >= _WIDE else _DRAWN // 2


def _row(curve: "Curve") -> tuple[str, ...]:
    from dreamer_core.cli.amounts import count
    from dreamer_core.cli.sparkline import sparkline

    lows = [value for value in curve.min if value is not None]
    highs = [value for value in curve.max if value is not None]
    bad = sum(curve.non_finite)
    return (
        curve.run,
        curve.key,
        sparkline(curve.last),
        count(curve.last[-1] if curve.last else None),
        count(min(lows, default=None)),
        count(max(highs, default=None)),
        f"{curve.points:,}",
        f"{bad:,}" if bad else "",
    )


def _tell_missing(parts: "Sequence[Curves]") -> None:
    for part in parts:
        for missing in part.missing:
            print(f"dreamgate: run {missing.run} has no {missing.key!r}", file=sys.stderr)
