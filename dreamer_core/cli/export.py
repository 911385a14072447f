"""`dreamgate export`: all numbers of a run into a file, exactly as they were sent."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options

if TYPE_CHECKING:
    from dreamer_core.remote.metric_calls import Format

_FORMATS = ("json", "csv", "arrow", "parquet")
_ENDINGS: "dict[str, Format]" = {
    ".json": "json",
    ".jsonl": "json",
    ".csv": "csv",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".parquet": "parquet",
}


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="write a run's numbers into a file",
        description="json: a record a line, as in metrics.jsonl. NaN, infinity and missing are told apart in every "
        "format. The file appears when it is complete.",
    )
    server_options.add_run(parser)
    parser.add_argument("--format", choices=_FORMATS, default=None, help="default: what FILE ends in, else json")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--keys", metavar="K1,K2", help="only these (default: all)")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dreamer_core.metrics.jsonsafe import dumps

    options.check_outputs(files=[args.output])
    kind = args.format or _ENDINGS.get(args.output.suffix, "json")
    keys = server_options.commas(args.keys)
    with server_options.open_client(args) as client:
        if keys:
            from dreamer_core.cli.known_keys import check_keys

            check_keys(keys, [found.key for found in client.keys(args.run_id)], [args.run_id])
        client.export(args.run_id, kind, args.output, keys)
    size = args.output.stat().st_size
    found = {"type": "file", "path": str(args.output), "format": kind, "bytes": size}
    print(dumps(found) if args.json else f"{args.output}: {size:,} bytes of {kind}")
    return 0
