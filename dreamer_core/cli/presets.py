"""`dreamgate presets`: what there is to start from."""

import argparse
import json
from typing import Any

from dreamer_core.cli import options
from dreamer_core.config.layers import describe_presets


def add_to(commands: Any) -> None:
    parser = commands.add_parser("presets", help="list the presets")
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    described = describe_presets()
    if args.json:
        print(json.dumps(described))
        return 0
    width = max(map(len, described))
    for name, text in described.items():
        print(f"{name:<{width}}  {text}")
    return 0
