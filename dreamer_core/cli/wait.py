"""`dreamgate wait`: until runs have ended, with a line for each, and an exit code that says how it went."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import CANNOT_TELL, OK, RED, UsageError
from dreamer_core.program import command

if TYPE_CHECKING:
    from dreamer_core.remote import Client
    from dreamer_core.remote.shapes import Run

_INTERRUPTED = 128 + 2


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "wait",
        help="wait until runs have ended",
        description="Exit codes: 0 all succeeded, 1 one failed or was cancelled, 3 the time was over first. "
        "Ctrl-C stops the waiting, not the runs.",
    )
    server_options.add_run_ids(parser)
    parser.add_argument("--timeout", type=float, metavar="S", help="give up after so many seconds")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.timeout is not None and args.timeout < 0:
        raise UsageError(f"--timeout must be at least 0, got {args.timeout:g}")
    with server_options.open_client(args) as client:
        return wait_and_show(client, args.run_ids, timeout_s=args.timeout, as_json=args.json)


def wait_and_show(client: "Client", run_ids: Sequence[str], *, timeout_s: float | None, as_json: bool) -> int:
    from dreamer_core.cli.wait_report import reporter
    from dreamer_core.remote.waiting import wait_for

    try:
        with reporter(as_json=as_json) as report:
            runs = wait_for(client, run_ids, timeout_s=timeout_s, on_look=report.on_look)
    except KeyboardInterrupt:
        stop = command(f"cancel {' '.join(run_ids)}", client.url)
        print(f"dreamgate: no longer waiting; the runs go on. `{stop}` stops them", file=sys.stderr)
        return _INTERRUPTED
    _show(runs, as_json=as_json)
    return _verdict(runs, timeout_s)


def _verdict(runs: "Mapping[str, Run]", timeout_s: float | None) -> int:
    if any(run.is_final and run.state != "succeeded" for run in runs.values()):
        return RED
    late = [run.id for run in runs.values() if not run.is_final]
    if late:
        print(f"dreamgate: not ended after {timeout_s:g} s: {' '.join(late)}", file=sys.stderr)
    return CANNOT_TELL if late else OK


def _show(runs: "Mapping[str, Run]", *, as_json: bool) -> None:
    from dreamer_core.metrics.jsonsafe import dumps

    for run in runs.values():
        if as_json:
            print(
                dumps({"type": "result", "run": run.id, "state": run.state, "reason": run.reason, "error": run.error})
            )
        else:
            why = run.error or run.reason
            print(f"{run.id} {run.state}" + (f": {why}" if why and run.state != "succeeded" else ""))
