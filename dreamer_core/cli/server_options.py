"""What the commands that speak to a server share: where it is, which runs are meant, and how it is opened."""

import argparse
from typing import TYPE_CHECKING, Any

import yaml

from dreamer_core.errors import UsageError

if TYPE_CHECKING:
    from dreamer_core.remote import Client

_PATIENCE_S = 3.0  # a person waits


def add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="default: DREAMGATE_SERVER, else http://127.0.0.1:8420")


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="ID", help="of the run")


def add_run_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_ids", nargs="+", metavar="ID", help="of a run")


def open_client(args: argparse.Namespace) -> "Client":
    from dreamer_core.remote import Client

    return Client(args.server, patience_s=_PATIENCE_S)


def commas(text: str | None) -> list[str]:
    """a,b,,c to its words."""
    return [word for word in (text or "").split(",") if word]


def values(option: str, words: list[str]) -> dict[str, Any]:
    """KEY=VALUE words, as --argument and --limit take them; values as in YAML."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not key or not equals:
            raise UsageError(f"{option} takes KEY=VALUE, got {word!r}")
        try:
            found[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UsageError(f"{option}: {text!r} of {key} cannot be read") from None
    return found
