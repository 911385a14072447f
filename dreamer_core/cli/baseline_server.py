"""`dreamgate baseline bless`, `list`, `retire` and `restore`: the baselines that a server keeps for the team."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import gate_server, options, server_options
from dreamer_core.errors import OK, UsageError
from dreamer_core.program import command

if TYPE_CHECKING:
    from dreamer_core.remote.gate_shapes import Baseline


def add_parts(parts: Any) -> None:
    _add_bless(parts)
    listing = parts.add_parser("list", help="the baselines of the server, or all versions of one")
    listing.add_argument("name", nargs="?", metavar="NAME", help="all its versions, retired ones too")
    listing.add_argument("--retired", action="store_true", help="the names that are wholly retired")
    server_options.add_server(listing)
    options.add_json(listing)
    listing.set_defaults(run=run_list)
    retire = parts.add_parser("retire", help="take a version of a baseline out of use; it stays, and can be restored")
    retire.add_argument("reference", metavar="NAME[@N]", help="its newest version, or this one")
    retire.add_argument("--why", required=True, metavar="TEXT")
    server_options.add_server(retire)
    options.add_json(retire)
    retire.set_defaults(run=run_retire)
    restore = parts.add_parser("restore", help="take a retired version into use again")
    restore.add_argument("reference", metavar="NAME@N", help="this version")
    server_options.add_server(restore)
    options.add_json(restore)
    restore.set_defaults(run=run_restore)


def run_bless(args: argparse.Namespace) -> int:
    runs = gate_server.runs_of(args)
    limits = {"env_steps_min": args.env_steps_min, "env_steps_max": args.env_steps_max, "last": args.last}
    with server_options.open_client(args) as client:
        made = client.bless(
            args.name,
            runs=runs,
            seed_group=args.group,
            keys=server_options.commas(args.keys),
            window={name: value for name, value in limits.items() if value is not None},
            threshold_pct=args.threshold_pct,
            abs_tol=args.abs_tol,
            who=args.who,
            why=args.why,
            allow=server_options.commas(args.allow),
        )
        _tell(made, client.url, as_json=args.json)
    return OK


def run_list(args: argparse.Namespace) -> int:
    if args.name and args.retired:
        raise UsageError("a name lists all its versions, also the retired ones: leave --retired out")
    with server_options.open_client(args) as client:
        found = client.baseline_versions(args.name) if args.name else client.baselines(retired=args.retired)
    if args.json:
        _print_json(found)
    else:
        _print_table(found)
    return OK


def run_retire(args: argparse.Namespace) -> int:
    name, _, version = args.reference.partition("@")
    with server_options.open_client(args) as client:
        found = client.retire_baseline(name, version or "latest", args.why)
    if args.json:
        _print_json((found,))
    else:
        print(f"{found.title} is retired: {found.retired_why}")
    return OK


def run_restore(args: argparse.Namespace) -> int:
    name, _, version = args.reference.partition("@")
    if not version:
        raise UsageError(f"say which version: {name}@N; `{command(f'baseline list {name}', args.server)}` lists them")
    with server_options.open_client(args) as client:
        found = client.restore_baseline(name, version)
    if args.json:
        _print_json((found,))
    else:
        print(f"{found.title} is in use again")
    return OK


def _add_bless(parts: Any) -> None:
    parser = parts.add_parser(
        "bless",
        help="make runs of the server the team's baseline, or its next version",
        description="Lower medians over a window, per metric, with every run's value and curve.",
    )
    parser.add_argument("name", metavar="NAME")
    gate_server.add_runs(parser)
    parser.add_argument("--keys", metavar="A,B", help="metrics (default: the usual ones, or all of a summary)")
    parser.add_argument("--env-steps-min", type=float, metavar="N", help="records from this step on")
    parser.add_argument("--env-steps-max", type=float, metavar="N", help="records up to this step")
    parser.add_argument("--last", type=int, metavar="N", help="of those, the last N records of each run")
    parser.add_argument("--threshold-pct", type=float, metavar="SHARE", help="0.15 is 15 %% (default)")
    parser.add_argument("--abs-tol", type=float, metavar="X", help="never counts (default 1e-6)")
    parser.add_argument("--who", default=os.environ.get("USER", ""), help="who blesses it (default: $USER)")
    parser.add_argument("--why", default="", metavar="TEXT", help="why; needed to follow an earlier version")
    parser.add_argument(
        "--allow", default="", metavar="A,B", help="bless all the same: failed, unfinished, dirty, single_seed"
    )
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run_bless)


def _tell(made: "Baseline", url: str, *, as_json: bool) -> None:
    if as_json:
        _print_json((made,))
        return
    seeds = "1 seed" if made.seeds == 1 else f"{made.seeds} seeds"
    print(f"{made.title} of {seeds}: {url}/baselines/{made.name}/{made.version}")
    if made.flags:
        print(f"  every verdict against it will say: {', '.join(flag.replace('_', ' ') for flag in made.flags)}")


def _print_json(found: "tuple[Baseline, ...]") -> None:
    from dataclasses import asdict

    from dreamer_core.metrics.jsonsafe import dumps

    for one in found:
        print(dumps({"type": "baseline", **asdict(one)}))


def _print_table(found: "tuple[Baseline, ...]") -> None:
    from dreamer_core.cli.amounts import age
    from dreamer_core.cli.tables import Column, Rows

    table = Rows(
        (
            Column("baseline", is_whole=True),
            Column("seeds", is_number=True),
            Column("blessed", is_whole=True, leaves=1),
            Column("by", leaves=2),
            Column("flags"),
            Column("why"),
        )
    )
    for one in found:
        flags = ", ".join([*one.flags, *(["retired"] if one.retired_at else [])]).replace("_", " ")
        table.add(one.title, str(one.seeds), age(one.created_at), one.who, flags, one.why)
    table.show(empty="There is no baseline.")
