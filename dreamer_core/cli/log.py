"""`dreamgate log`: what was tried in an experiment, what was expected, and what came of it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from dreamer_core.cli import options, server_options


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "log",
        help="show or write down what was tried in an experiment",
        description="A document in Markdown: hypotheses, results, verdicts and conclusions, a section for each seed "
        "group. (`dreamgate logs` shows what a run printed.)",
    )
    parser.add_argument("experiment", metavar="EXPERIMENT", help="its name, or its id")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="write it there")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dreamer_core.metrics.jsonsafe import dumps

    options.check_outputs(files=[args.output])
    with server_options.open_client(args) as client:
        experiment = client.find_experiment(args.experiment)
        if args.json and args.output is None:
            print(dumps({"type": "log", **client.experiment_log(experiment.id)}))
            return 0
        text = client.experiment_markdown(experiment.id)
    if args.output is None:
        sys.stdout.write(text)
    else:
        _write(args.output, text, as_json=args.json)
    return 0


def _write(path: Path, text: str, *, as_json: bool) -> None:
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.runs.atomic import write_text

    write_text(path, text)
    size = path.stat().st_size
    found = {"type": "file", "path": str(path), "format": "markdown", "bytes": size}
    print(dumps(found) if as_json else f"{path}: {size:,} bytes of Markdown")
