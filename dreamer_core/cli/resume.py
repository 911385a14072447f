"""`dreamgate resume`: go on with a job that has ended, from its last checkpoint."""

import argparse
from typing import Any

from dreamer_core.cli import options, server_options
from dreamer_core.cli.each import for_each


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "resume",
        help="go on with a job that has ended",
        description="From its last checkpoint, on a worker: dreamgate resume ID steps=8000. "
        "A run in a folder of yours goes on with `dreamgate train --resume`.",
    )
    server_options.add_run(parser)
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="what changes: steps=, run.*, eval.*")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with server_options.open_client(args) as client:
        return for_each([args.run_id], lambda run_id: client.resume(run_id, args.words), as_json=args.json)
