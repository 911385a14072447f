"""`dreamgate retry`: failed or cancelled jobs once more, from the start."""

import argparse
from typing import Any

from dreamer_core.cli import options, server_options
from dreamer_core.cli.each import for_each


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "retry",
        help="do failed or cancelled jobs again, from the start",
        description="The numbers that the runs have so far are dropped. `dreamgate resume` goes on instead.",
    )
    server_options.add_run_ids(parser)
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with server_options.open_client(args) as client:
        return for_each(args.run_ids, client.retry, as_json=args.json)
