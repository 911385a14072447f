"""`dreamgate logs`: what a run's process printed."""

import argparse
import sys
from typing import Any

from dreamer_core.cli import server_options
from dreamer_core.errors import UsageError

_MOST = 10_000
_INTERRUPTED = 128 + 2


def add_to(commands: Any) -> None:
    parser = commands.add_parser("logs", help="show what a run printed")
    server_options.add_run(parser)
    parser.add_argument("--tail", type=int, default=200, metavar="N", help="the last lines (default 200)")
    parser.add_argument("--follow", action="store_true", help="and what is added, until the run has ended")
    server_options.add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.tail <= _MOST:
        raise UsageError(f"--tail must be from 1 to {_MOST:,}, got {args.tail:,}")
    with server_options.open_client(args) as client:
        try:
            for text in (
                client.follow_log(args.run_id, args.tail) if args.follow else [client.read_log(args.run_id, args.tail)]
            ):
                sys.stdout.write(text)
                sys.stdout.flush()
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0
