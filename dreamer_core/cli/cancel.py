"""`dreamgate cancel`: take jobs out of the queue, stop those that run."""

import argparse
from typing import Any

from dreamer_core.cli import options, server_options
from dreamer_core.cli.each import for_each


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "cancel",
        help="stop jobs; a running one saves its state first",
        description="A queued job is cancelled at once. A running one is `stopping` until its state is saved.",
    )
    server_options.add_run_ids(parser)
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with server_options.open_client(args) as client:
        return for_each(args.run_ids, client.cancel, as_json=args.json)
