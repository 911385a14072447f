"""`dreamgate worker`: take jobs from a server and run them."""

import argparse
from pathlib import Path
from typing import Any

from dreamer_core.errors import MissingExtraError


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "worker",
        help="take jobs from a server and run them",
        description="Runs jobs of the server at DREAMGATE_SERVER, one for each GPU at a time (or one on the CPU). "
        "Ctrl-C, or SIGTERM: running jobs save their state and go back to the queue; a second one kills them.",
        epilog="Environment: DREAMGATE_SERVER, DREAMGATE_TOKEN, DREAMGATE_BROKER_URL (wakes it up at once; without it "
        "it asks every few seconds), DREAMGATE_RUNS, DREAMGATE_SOURCE_REPO (a clone or an address: jobs may name a "
        "commit of it), DREAMGATE_GRACE_S (between asking a job to stop and killing it, default 120).",
    )
    parser.add_argument("--queues", metavar="NAME,NAME", help="which jobs (default: cpu, with GPUs gpu and cpu)")
    parser.add_argument("--slots", type=int, metavar="N", help="jobs at a time (default: one for each GPU, at least 1)")
    parser.add_argument("--name", help="what the server calls it (default: the host's name)")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where runs go (default: DREAMGATE_RUNS, or runs)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import logging

    try:
        from worker.main import serve
        from worker.settings import Settings
    except ModuleNotFoundError as error:
        raise MissingExtraError("dreamgate worker", extra="worker", package=error.name or "") from None

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    settings = Settings.read(runs=args.runs, name=args.name, queues=args.queues, slots=args.slots)
    return serve(settings)
