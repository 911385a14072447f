"""Options that the commands of the server share: where its data lies and where it listens."""

import argparse
import os
import tempfile
from pathlib import Path

from dreamer_core.errors import UsageError
from server.settings import Settings


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the data folder (default: $DREAMGATE_DATA, or ./dreamgate-data)"
    )


def add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on (default: $DREAMGATE_HOST, or 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (default: $DREAMGATE_PORT, or 8420; 0: any that is free)")


def environment_of(args: argparse.Namespace) -> dict[str, str]:
    """What was typed, said as variables: they mean the same to this process and to those that it starts."""
    typed = {
        "DREAMGATE_DATA": args.data and str(args.data.absolute()),
        "DREAMGATE_HOST": getattr(args, "host", None),
        "DREAMGATE_PORT": None if getattr(args, "port", None) is None else str(args.port),
    }
    return _known({**os.environ, **{name: value for name, value in typed.items() if value}})


def settings_of(args: argparse.Namespace) -> Settings:
    return Settings.read(environment_of(args))


def make_data(data: Path) -> None:
    """The data folder, found to be one that can be written to: else each part would complain in its own words."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=data).close()
    except OSError as error:
        raise UsageError(
            f"the data folder {data} cannot be written to ({error.strerror}): choose another with --data, or "
            "DREAMGATE_DATA"
        ) from None


def _known(environ: dict[str, str]) -> dict[str, str]:
    """Valkey speaks what Redis speaks, and Celery has only the older name for it."""
    broker = environ.get("DREAMGATE_BROKER_URL", "")
    if broker.startswith("valkey://"):
        environ["DREAMGATE_BROKER_URL"] = f"redis://{broker.removeprefix('valkey://')}"
    return environ
