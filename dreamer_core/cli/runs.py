"""`dreamgate runs`: the runs that a server has."""

import argparse
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dreamer_core.remote import Client, RunFilter
    from dreamer_core.remote.shapes import Run

_STATES = ("queued", "running", "stopping", "succeeded", "failed", "cancelled")
_PAGE = 200
_SORT = (
    "created_at, started_at, ended_at, name, state, seed, env_steps or metric:NAME[:last|min|max]; "
    "a leading - turns it around, written --sort=-KEY (default -created_at)"
)


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "runs",
        help="list the runs",
        description="Newest first, or by any metric: dreamgate runs --sort=-metric:Rewards/rew_avg --metrics "
        "Rewards/rew_avg. Everything that is given must hold.",
    )
    parser.add_argument("search", nargs="?", metavar="TEXT", help="part of a name, id, note, hypothesis or tag")
    parser.add_argument("--experiment", metavar="NAME", help="its name or id")
    parser.add_argument("--state", action="append", default=[], choices=_STATES, help="one of these; may be repeated")
    parser.add_argument("--kind", choices=("train", "eval", "bench", "viz", "import"))
    parser.add_argument("--tag", action="append", default=[], help="all of these; may be repeated")
    parser.add_argument("--sort", default="-created_at", metavar="KEY", help=_SORT)
    parser.add_argument("--metrics", metavar="K1,K2", help="columns with the latest values of these")
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="how many at most (default 30)")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    from dreamer_core.remote import RunFilter

    metrics = server_options.commas(args.metrics)
    wanted = RunFilter(
        q=args.search,
        experiment=args.experiment,
        state=args.state,
        kind=args.kind,
        tag=args.tag,
        sort=args.sort,
        metrics=metrics,
    )
    with server_options.open_client(args) as client:
        found = list(_first(client, wanted, args.limit))
    if args.json:
        _print_json(found)
    else:
        _print_table(found, metrics)
    return 0


def _first(client: "Client", wanted: "RunFilter", limit: int) -> "Iterator[Run]":
    cursor: str | None = None
    while limit > 0:
        page = client.list_runs(wanted, limit=min(limit, _PAGE), cursor=cursor)
        yield from page.items
        limit -= len(page.items)
        cursor = page.next
        if cursor is None:
            return


def _print_json(runs: "list[Run]") -> None:
    from dataclasses import asdict

    from dreamer_core.metrics.jsonsafe import dumps

    for run in runs:
        print(dumps({"type": "run", **{key: value for key, value in asdict(run).items() if key != "config"}}))


def _print_table(runs: "list[Run]", metrics: list[str]) -> None:
    from dreamer_core.cli.amounts import NONE, age, count
    from dreamer_core.cli.tables import Column, Rows

    whole = Column("id", is_whole=True)
    texts = (whole, Column("experiment", leaves=3), Column("name"), Column("state", is_whole=True))
    numbers = (("seed", 1), ("steps", 2), ("steps/s", 5), ("created", 4), *((key, 0) for key in metrics))
    table = Rows((*texts, *(Column(name, is_number=True, leaves=leaves) for name, leaves in numbers)))
    for run in runs:
        steps = f"{run.env_steps:,}" + (f" {run.progress:.0%}" if run.progress is not None else "")
        seed = NONE if run.seed is None else str(run.seed)
        named = (run.id, run.experiment.name, run.name, run.state)
        counted = (seed, steps, count(run.steps_per_s), age(run.created_at))
        table.add(*named, *counted, *(count(run.metrics.get(key)) for key in metrics))
    table.show(empty="There is no such run.")
